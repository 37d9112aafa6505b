"""Text that is on every machine: the documentation that installed packages bring."""

from __future__ import annotations

import ast
import re
import sysconfig
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["docstrings", "words"]

WORD = re.compile(r"[a-z]+|[.,:;()]")
CODE = re.compile(r"^\s*(>>>|\.\.\.|│|┌|└|╞|shape:).*$", re.MULTILINE)
TESTS = {"test", "tests"}


def docstrings(package: str) -> Iterator[str]:
    """Read the docstrings of a package, or of Python's own library, in the order of its files."""
    for path in sorted(of_python() if package == "python" else of_package(package)):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield ast.get_docstring(node) or ""


def of_package(package: str) -> Iterator[Path]:
    """Name the source files of a package that is installed."""
    try:
        paths = files(package) or []
    except PackageNotFoundError as error:
        message = f"the package {package!r} is not installed; --packages names others"
        raise SystemExit(message) from error
    for path in paths:
        if path.suffix == ".py" and not TESTS & set(path.parts):
            yield Path(str(path.locate()))


def of_python() -> Iterator[Path]:
    """Name the source files of Python's own library."""
    for path in Path(sysconfig.get_path("stdlib")).rglob("*.py"):
        if not (TESTS | {"site-packages", "dist-packages", "lib2to3"}) & set(path.parts):
            yield path


def words(text: str) -> list[str]:
    """Split a docstring into words and signs, without its examples of code."""
    return WORD.findall(CODE.sub("", text).lower())
