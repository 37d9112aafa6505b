"""Watch a language model forget, on text that is on every machine.

The human text is the documentation of installed packages: the docstrings in their source. It is
split by documents into a part to learn from, a reference, and a held-out part. A model of n-grams
learns from the first; generation 1 is what it writes, generation 2 is written by a model that
learnt from generation 1, and so on. Every generation is compared with the reference, beside the
held-out human text, which shows what each number is when nothing was lost.

    python examples/text_collapse.py --generations 4
"""

from __future__ import annotations

import argparse
import ast
import random
import re
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, files
from typing import TYPE_CHECKING

import polars as pl

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Document = list[str]

PACKAGES = ("numpy", "polars", "scikit-learn", "scipy")
SHORTEST, LONGEST = 30, 300
"""Words of a document: shorter ones say nothing, longer ones are cut."""

WORDS = re.compile(r"[a-z]+|[.,:;()]")
CODE = re.compile(r"^\s*(>>>|\.\.\.|│|┌|└|╞|shape:).*$", re.MULTILINE)


def docstrings(package: str) -> Iterator[str]:
    """Read the docstrings of a package, in the order of its files."""
    try:
        paths = files(package) or []
    except PackageNotFoundError as error:
        message = f"the package {package!r} is not installed; --packages names others"
        raise SystemExit(message) from error
    for path in sorted(path for path in paths if path.suffix == ".py"):
        if {"test", "tests"} & set(path.parts):
            continue
        tree = ast.parse(path.read_binary())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield ast.get_docstring(node) or ""


def human_documents(packages: Sequence[str]) -> list[Document]:
    """Make different documents of words from the docstrings, without code examples."""
    found = {}
    for package in packages:
        for text in docstrings(package):
            words = WORDS.findall(CODE.sub("", text).lower())[:LONGEST]
            if len(words) >= SHORTEST:
                found[" ".join(words)] = words
    return list(found.values())


def split(
    documents: list[Document], tokens: int, rng: random.Random
) -> tuple[list[Document], list[Document], list[Document]]:
    """Deal documents at random into three parts of about so many tokens each."""
    parts: tuple[list[Document], list[Document], list[Document]] = ([], [], [])
    sizes = [0, 0, 0]
    for document in rng.sample(documents, len(documents)):
        smallest = sizes.index(min(sizes))
        if sizes[smallest] >= tokens:
            break
        parts[smallest].append(document)
        sizes[smallest] += len(document)
    return parts


def imitate(documents: list[Document], order: int, rng: random.Random) -> list[Document]:
    """Learn which word follows each `order` words, and write documents of the same lengths."""
    following: dict[tuple[str, ...], list[str]] = defaultdict(list)
    start = ("",) * order
    for document in documents:
        context = start
        for word in (*document, ""):
            following[context].append(word)
            context = (*context[1:], word)
    written = []
    for document in documents:
        new: Document = []
        context = start
        while len(new) < len(document):
            word = rng.choice(following[context])
            # At the end of a document the next sentence starts another one.
            context = (*context[1:], word) if word else start
            if word:
                new.append(word)
        written.append(new)
    return written


def table(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put the generations beside the held-out human text."""
    human = frames[0].select("metric", human="null", human_low="null_low", human_high="null_high")
    generations = [
        frame.select(pl.col("value").alias(f"generation {number}"))
        for number, frame in enumerate(frames, start=1)
    ]
    return pl.concat([human, *generations], how="horizontal")


def sentence(frame: pl.DataFrame, generation: int) -> str:
    """Say what was lost: the metrics whose interval lies apart from that of held-out text."""
    apart = frame.filter(
        (pl.col("high") < pl.col("null_low")) | (pl.col("low") > pl.col("null_high"))
    )
    by_metric = {row["metric"]: row for row in frame.iter_rows(named=True)}
    words, rare = by_metric["type_coverage"], by_metric["rare_type_coverage"]
    return (
        f"Generation {generation} has {words['value']:.0%} of the words of the reference, where "
        f"held-out human text of the same length has {words['null']:.0%}, and {rare['value']:.0%} "
        f"of the rarer half, where that has {rare['null']:.0%}. Beyond what chance explains: "
        f"{', '.join(apart['metric']) or 'nothing'}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--generations", type=int, default=4, help="models, one after the other")
    parser.add_argument("--order", type=int, default=2, help="words that the next depends on")
    parser.add_argument("--tokens", type=int, default=150_000, help="words of each part, at most")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, help="whose documentation")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the models")
    chosen = parser.parse_args(arguments)

    rng = random.Random(chosen.seed)  # noqa: S311
    documents = human_documents(chosen.packages)
    learnt, reference, heldout = split(documents, chosen.tokens, rng)
    text, frames = learnt, []
    for _ in range(chosen.generations):
        text = imitate(text, chosen.order, rng)
        frames.append(tw.metrics.text.compare_documents(reference, text, heldout, seed=chosen.seed))

    tokens = frames[0]["tokens"][0]
    print(f"{len(documents)} docstrings of {', '.join(chosen.packages)}; {tokens} words compared")
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        float_precision=3,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print(table(frames))
    print(sentence(frames[-1], chosen.generations))


if __name__ == "__main__":
    main()
