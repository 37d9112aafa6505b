"""Learners that reproduce the literature and meet the closed forms."""

from __future__ import annotations

from tailwatch.recursion.learners.gaussian import Gaussian

__all__ = ["Gaussian"]
