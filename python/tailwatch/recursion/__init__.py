"""Loops that learn from their own output: policies, learners, theory, verdicts, plans."""

from __future__ import annotations
