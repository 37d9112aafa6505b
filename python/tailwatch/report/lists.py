"""The lists of a page: what each number means, and what was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.html import escape
from tailwatch.report.labels import LABELS, TERMS
from tailwatch.report.numbers import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tailwatch.report.labels import Label

__all__ = ["definitions", "run_details"]


def definitions(
    metrics: Iterable[str],
    terms: Mapping[str, str] = TERMS,
    labels: Mapping[str, Label] = LABELS,
) -> str:
    """Return what the columns of the table, or other `terms`, and each of `metrics` mean."""
    known = [labels[metric] for metric in dict.fromkeys(metrics) if metric in labels]
    words = {label.name: label.meaning for label in known if label.meaning}
    return _list(terms, "tw-words tw-terms") + _list(words, "tw-words")


def run_details(run: Mapping[str, Any]) -> str:
    """Return what was run: a list for each part of the metadata, and one for what stands alone."""
    parts = {key: part for key, part in run.items() if isinstance(part, dict)}
    parts["run"] = {key: value for key, value in run.items() if key not in parts}
    cards = "".join(
        f"<section>{_card(title, part)}</section>" for title, part in parts.items() if part
    )
    return f'<div class="tw-run">{cards}</div>'


def _card(title: str, part: Mapping[str, Any]) -> str:
    settings = {_words(key): _setting(key, value) for key, value in part.items()}
    return f"<h3>{escape(_words(title).capitalize())}</h3>{_list(settings, 'tw-settings')}"


def _list(words: Mapping[str, str], kind: str) -> str:
    items = "".join(
        f"<div><dt>{escape(word)}</dt><dd>{escape(meaning)}</dd></div>"
        for word, meaning in words.items()
    )
    return f'<dl class="{kind}">{items}</dl>'


def _words(key: str) -> str:
    return key.replace("_", " ")


def _setting(key: str, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, float) and key == "seconds":
        return f"{value:.3g}"
    if isinstance(value, int) and "rows" in key:
        return count(value)
    return str(value)
