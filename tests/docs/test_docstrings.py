"""Every example in a docstring of the package gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import tailwatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def module_names() -> Iterator[str]:
    yield tailwatch.__name__
    for module in pkgutil.walk_packages(tailwatch.__path__, prefix="tailwatch."):
        # Importing it would run the program.
        if not module.name.endswith(".__main__"):
            yield module.name


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = map(importlib.import_module, module_names())
    found = (test for module in modules for test in finder.find(module))
    return sorted(test for test in found if test.examples)


EXAMPLES = examples()


def test_the_package_has_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)
