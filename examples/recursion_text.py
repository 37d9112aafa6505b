"""Watch a language model forget, on text that is on every machine.

The human text is the documentation of installed packages: the docstrings in their source, as lists
of words. A model of n-grams learns from half of them and writes as many documents; the next model
learns from these alone (*replace*), from these beside all earlier ones and the human text
(*accumulate*), or from these and a fixed share of human documents (*mix*). Every generation is
compared with the half that no model read, beside another part of it, which shows what each number
is when nothing was lost.

    python examples/recursion_text.py --generations 6

writes one page, with the policies side by side, and prints what was left at the end.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import tailwatch as tw
from tailwatch.recursion import Accumulate, Mix, NGram, Replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGES = ("numpy", "polars", "scikit-learn", "scipy")
SHORTEST, LONGEST = 30, 300
"""Words of a document: shorter ones say nothing, longer ones are cut."""

WORDS = re.compile(r"[a-z]+|[.,:;()]")
CODE = re.compile(r"^\s*(>>>|\.\.\.|│|┌|└|╞|shape:).*$", re.MULTILINE)

POLICIES = (Replace(), Accumulate(), Mix(0.25))

LEFT = {
    "type_coverage": "words kept",
    "tail_coverage": "rarer words kept",
    "risk": "nats per word, unseen text",
}
"""What the table shows."""


def docstrings(package: str) -> Iterator[str]:
    """Read the docstrings of a package, in the order of its files."""
    try:
        paths = files(package) or []
    except PackageNotFoundError as error:
        message = f"the package {package!r} is not installed; --packages names others"
        raise SystemExit(message) from error
    for path in sorted(path for path in paths if path.suffix == ".py"):
        if "tests" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield ast.get_docstring(node) or ""


def human_documents(packages: Sequence[str], most: int, seed: int) -> pl.Series:
    """Make different documents of words from the docstrings, without code examples."""
    found = {}
    for package in packages:
        for text in docstrings(package):
            words = WORDS.findall(CODE.sub("", text).lower())[:LONGEST]
            if len(words) >= SHORTEST:
                found[" ".join(words)] = words
    documents = list(found.values())
    rng = random.Random(seed)  # noqa: S311
    return pl.Series(rng.sample(documents, min(most, len(documents))))


def left(overlay: tw.recursion.Overlay) -> pl.DataFrame:
    """Tell what the last generation scores, beside fresh human text where it has a score."""
    last = overlay.frame.filter(pl.col("generation") == pl.col("generation").max())
    rounded = [pl.col(name).round(3) for name in ("value", "low", "high", "null")]
    scored = last.filter(pl.col("metric").is_in(list(LEFT))).select(
        "run",
        pl.col("metric").replace_strict(LEFT),
        *(column.alias(column.meta.output_name()) for column in rounded),
    )
    score = pl.format("{} [{}, {}]", "value", "low", "high")
    human = pl.format("{}", "null").alias("human text")
    return scored.with_columns(score.alias("score"), human).pivot(
        "run", index=["metric", "human text"], values="score", maintain_order=True
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--generations", type=int, default=6, help="models, one after the other")
    parser.add_argument("--order", type=int, default=3, help="words of an n-gram")
    parser.add_argument("--documents", type=int, default=3000, help="docstrings to use, at most")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, help="whose documentation")
    parser.add_argument("--out", type=Path, default=Path("recursion-text.html"), help="the report")
    parser.add_argument("--seed", type=int, default=0, help="of the choice and the models")
    chosen = parser.parse_args(arguments)

    human = human_documents(chosen.packages, chosen.documents, chosen.seed)
    words = human.list.len().sum()
    print(f"{len(human)} docstrings of {', '.join(chosen.packages)}: {words} words")
    overlay = tw.recursion.overlay(
        tw.recursion.run(
            NGram(chosen.order, longest=LONGEST),
            human,
            policy=policy,
            generations=chosen.generations,
            holdout=0.5,
            seed=chosen.seed,
            progress=True,
        )
        for policy in POLICIES
    )
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        fmt_str_lengths=40,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print(left(overlay))
    print(f"{overlay.sentence}\nThe report is in {overlay.save(chosen.out)}")


if __name__ == "__main__":
    main()
