"""Paragraphs of real text that every Python installation has: its docstrings and its comments.

They are taken from the standard library and the installed packages: docstrings cut at blank lines,
and, after all of those, blocks of comment lines. White space is made single spaces, what is shorter
than `SHORTEST` or was there before is left out, and the order is that of a hash, so that neither
the file system nor the name of a package has a say in it.

Which texts there are depends on what is installed. They are therefore collected once and kept in
the cache folder, and results carry their hash, `Paragraphs.sha`.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import sysconfig
import warnings
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SHORTEST = 40
"""Characters that a paragraph has at least."""

BLANK = re.compile(r"\n\s*\n")
EVERY = 4000
"""Files between lines of progress."""

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Paragraphs(NamedTuple):
    """Texts without duplicates, in an order of their own."""

    texts: list[str]
    docstrings: int
    """How many of them, from the first, are of docstrings; the others are of comments."""

    sha: str
    """The first digits of the SHA-256 of all texts in their order."""


def cache_folder() -> Path:
    """Return the folder that keeps texts and embeddings: TAILWATCH_BENCHES_CACHE or the user's."""
    if chosen := os.environ.get("TAILWATCH_BENCHES_CACHE"):
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "tailwatch-benches"


def write_once(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file be written under another name, and give it its own when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def docstring_paragraphs(source: str) -> Iterator[str]:
    """Yield the paragraphs of all docstrings of a module."""
    with warnings.catch_warnings():
        # Escapes that a later Python will not take.
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            yield from BLANK.split(text)


def comment_paragraphs(source: str) -> Iterator[str]:
    """Yield the blocks of lines that hold nothing but a comment."""
    block: list[str] = []
    for line in [*source.splitlines(), ""]:
        stripped = line.strip()
        if stripped.startswith("#"):
            block.append(stripped.lstrip("#!: "))
        elif block:
            yield " ".join(block)
            block = []


def usable(paragraphs: Iterable[str]) -> Iterator[str]:
    """Yield those that are long enough and can be written, with single spaces."""
    for paragraph in paragraphs:
        text = " ".join(paragraph.split())
        if len(text) >= SHORTEST and text.isprintable():
            yield text


def in_order(texts: Iterable[str]) -> list[str]:
    """Sort texts by a hash of each."""
    return sorted(texts, key=lambda text: blake2b(text.encode(), digest_size=16).digest())


def collect(roots: Iterable[Path]) -> Paragraphs:
    """Read all Python files below some folders."""
    files = sorted({path for root in roots for path in root.rglob("*.py") if path.is_file()})
    documented: set[str] = set()
    commented: set[str] = set()
    for number, path in enumerate(files):
        if number % EVERY == 0:
            print(
                f"  collecting paragraphs: {number:,} of {len(files):,} files, "
                f"{len(documented) + len(commented):,} texts",
                file=sys.stderr,
                flush=True,
            )
        source = path.read_text(encoding="utf-8", errors="replace")
        documented.update(usable(docstring_paragraphs(source)))
        commented.update(usable(comment_paragraphs(source)))
    return described(in_order(documented), in_order(commented - documented))


def described(documented: list[str], commented: list[str]) -> Paragraphs:
    """Put both kinds of texts together."""
    texts = documented + commented
    return Paragraphs(texts, len(documented), sha256("\n".join(texts).encode()).hexdigest()[:12])


def installed_sources() -> list[Path]:
    """Return the folders of the standard library and of installed packages."""
    paths = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    return sorted({Path(path).resolve() for path in paths})


def kept() -> Path:
    """Return the file that the texts are kept in."""
    return cache_folder() / "paragraphs.parquet"


@lru_cache(maxsize=1)
def paragraphs() -> Paragraphs:
    """Return the texts that are kept, or collect and keep them where there are none."""
    path = kept()
    if not path.exists():
        found = collect(installed_sources())
        frame = pl.DataFrame(
            {
                "text": found.texts,
                "docstring": [place < found.docstrings for place in range(len(found.texts))],
            }
        )
        write_once(path, frame.write_parquet)
        print(
            f"  {found.docstrings:,} paragraphs of docstrings and "
            f"{len(found.texts) - found.docstrings:,} of comments are kept in {path}",
            file=sys.stderr,
        )
    frame = pl.read_parquet(path)
    split = int(frame["docstring"].sum())
    texts = frame["text"].to_list()
    return described(texts[:split], texts[split:])
