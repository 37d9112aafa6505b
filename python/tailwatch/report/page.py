"""The frame of a page: a title, the sentence, sections in order, in one self-contained file.

Two of its sections are alike on all pages: what each number means, and what was run.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tailwatch.report.html import DARK, LIGHT, css_variables, escape
from tailwatch.report.words import TERMS, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from tailwatch.report.words import Label

__all__ = ["Section", "definitions", "fragment", "fragment_mark", "page", "run_details"]

# Nothing may be fetched or executed, whatever a name in the data holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its title as text, its body as HTML."""

    title: str
    body: str


def page(
    *,
    kind: str,
    subject: str,
    sentence: str,
    facts: Mapping[str, str],
    sections: Sequence[Section],
    foot: str,
) -> str:
    """Return a whole HTML document.

    Parameters
    ----------
    kind
        What the page is, such as ``tailwatch comparison``.
    subject
        What it is about, such as the names of the two sets.
    sentence
        The result in words; it stands first and largest.
    facts
        A few facts to know before reading on, as text.
    sections
        The parts of the page, in order.
    foot
        The last line, as text.

    Returns
    -------
    str
        The document, complete with styles and drawings.
    """
    known = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items()
    )
    body = "".join(f"<section><h2>{escape(s.title)}</h2>{s.body}</section>" for s in sections)
    return (
        '<!doctype html>\n<html lang="en" class="tailwatch tw-page">\n<head>\n'
        '<meta charset="utf-8">\n'
        f"<title>{escape(kind)}: {escape(subject)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<link rel="icon" href="data:,">\n<style>\n{_styles()}</style>\n</head>\n<body>\n'
        f'<main class="tw-body">\n<header><p class="tw-kind">{escape(kind)}</p>'
        f'<h1>{_breakable(subject)}</h1><p class="tw-sentence">{_spoken(sentence)}</p>'
        f'<dl class="tw-facts">{known}</dl></header>\n'
        f"{body}\n<footer>{escape(foot)}</footer>\n</main>\n</body>\n</html>\n"
    )


def fragment(*, sentence: str, body: str) -> str:
    """Return an element to stand inside a notebook; it brings its own paper, light or dark."""
    return (
        f'<div class="tailwatch tw-fragment"><style>{_styles()}</style><div class="tw-body">'
        f'<p class="tw-sentence">{_spoken(sentence)}</p>{body}</div></div>'
    )


def fragment_mark(sentence: str, frame: pl.DataFrame) -> str:
    """Return a mark of what a fragment shows: ids in a notebook of several must differ."""
    return hashlib.sha256((sentence + frame.write_json()).encode()).hexdigest()[:8]


def definitions(
    metrics: Iterable[str],
    labels: Mapping[str, Label],
    terms: Mapping[str, str] = TERMS,
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


def _breakable(name: str) -> str:
    """Return a name as HTML whose line may end after a slash or an underscore, as in a path."""
    return re.sub(r"([/_])(?=[^/_])", r"\1<wbr>", escape(name))


def _spoken(sentence: str) -> str:
    """Return a sentence as HTML in which no line ends between a number and its per cent sign."""
    return re.sub(r"(\d) %", "\\1\N{NARROW NO-BREAK SPACE}%", escape(sentence))


@cache
def _styles() -> str:
    light, dark = css_variables(LIGHT), css_variables(DARK)
    sheet = files(__package__).joinpath("style.css").read_text("utf-8")
    return (
        f".tailwatch {{ color-scheme: light dark; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ .tailwatch {{ {dark} }} }}\n"
        f"{sheet}"
    )


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
