"""What a command line or a file says of a loop: learners, policies, data, settings.

A learner or a policy is written as Python writes a call with literal arguments: ``Gaussian``,
``GaussianMixture(k=10)``, ``mix(0.25)``, ``my_module:MyLearner(depth=3)``. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, MissingDependencyError, SourceError, TailwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LEARNERS", "POLICIES", "data_from", "part_from", "settings_from"]

LEARNERS = (
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "KernelDensity",
    "LinearRegression",
    "Multinomial",
    "NGram",
)
POLICIES = ("Accumulate", "AccumulateSubsample", "Augment", "Mix", "Replace")


def part_from(text: str, option: str, shipped: Sequence[str]) -> Any:  # noqa: ANN401
    """Make a learner or a policy of what the user wrote.

    Parameters
    ----------
    text
        A name out of `shipped`, or ``module:attribute``, with arguments in parentheses or none.
    option
        Where it was written: it opens every message.
    shipped
        Names in :mod:`tailwatch.recursion`; letters may be small.

    Raises
    ------
    InputError
        No such name, arguments that are no literals, or that it does not take.
    """
    module, colon, rest = text.rpartition(":")
    name, places, keywords = _call(rest, option)
    made = _imported(module, name, option) if colon else _shipped(name, option, shipped)
    if not isinstance(made, type) and not places and not keywords:
        return made() if callable(made) and not hasattr(made, "fit") else made
    try:
        return made(*places, **keywords)
    except TypeError as error:
        message = f"{option}: {text}: {error}"
        raise InputError(message) from error


def _call(text: str, option: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Read a name and its literal arguments."""
    message = f"{option}: expected a name such as Gaussian or Mix(0.25), got {text!r}"
    try:
        found = ast.parse(text.strip(), mode="eval").body
        called = found if isinstance(found, ast.Call) else ast.Call(found, [], [])
        name = ast.unparse(called.func)
        places = [ast.literal_eval(each) for each in called.args]
        keywords = {str(each.arg): ast.literal_eval(each.value) for each in called.keywords}
    except (SyntaxError, ValueError) as error:
        raise InputError(message) from error
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(message)
    return name, places, keywords


def _shipped(name: str, option: str, shipped: Sequence[str]) -> Any:  # noqa: ANN401
    from tailwatch import recursion

    plain = name.lower().replace("_", "")
    found = next((each for each in shipped if each.lower() == plain), None)
    if found is None:
        message = (
            f"{option}: expected one of {', '.join(shipped)}, or module:attribute, got {name!r}"
        )
        raise InputError(message)
    return getattr(recursion, found)


def _imported(module: str, name: str, option: str) -> Any:  # noqa: ANN401
    # The console script starts elsewhere; users keep their learners beside their data.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{option}: cannot import {name} from {module} ({error})"
        raise InputError(message) from error
    return found


def settings_from(path: Path) -> dict[str, Any]:
    """Read the settings of a loop from a .toml or .yaml file."""
    import tomllib

    if path.suffix.lower() not in {".toml", ".yaml", ".yml"}:
        message = f"CONFIG: expected a .toml, .yaml or .yml file, got {path}"
        raise InputError(message)
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix.lower() == ".toml" else _yaml(text)
    except (OSError, ValueError) as error:
        message = f"CONFIG: cannot read {path} ({error})"
        raise SourceError(message) from error
    if not isinstance(found, dict):
        message = f"CONFIG: expected names and values in {path}, got {type(found).__name__}"
        raise SourceError(message)
    return found


def _yaml(text: str) -> Any:  # noqa: ANN401  (checked by the caller)
    try:
        import yaml
    except ImportError as error:
        message = "CONFIG: YAML needs PyYAML: pip install 'tailwatch[yaml]', or write TOML"
        raise MissingDependencyError(message) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise ValueError(message) from error


def data_from(source: str, option: str, column: str | None) -> Any:  # noqa: ANN401
    """Read human data.

    ============================  ==================================================================
    ``.npy``                      the array, of any number of axes
    ``.txt``                      each line a document, cut into words at blanks
    ``.csv``, ``.parquet``,       `column`: vectors as an array, anything else as a series;
    ``.arrow``, or a glob of      without it ``embedding`` if there is one, numbers as an array of
    the last two                  all columns, and a single column of anything else
    ============================  ==================================================================
    """
    import numpy as np
    import polars as pl

    path = Path(source)
    readers: Mapping[str, Any] = {
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
        ".arrow": pl.read_ipc,
        ".feather": pl.read_ipc,
        ".ipc": pl.read_ipc,
    }
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".txt":
            lines = path.read_text(encoding="utf-8").splitlines()
            return pl.Series("words", [line.split() for line in lines], dtype=pl.List(pl.String))
        if path.suffix in readers:
            return _chosen(readers[path.suffix](source), option, column)
    except TailwatchError:
        raise
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        message = f"{option}: cannot read {source} ({str(error).splitlines()[0]})"
        raise SourceError(message) from error
    message = f"{option}: expected a .npy, .txt, .csv, .parquet or .arrow file, got {source}"
    raise InputError(message)


def _chosen(frame: Any, option: str, column: str | None) -> Any:  # noqa: ANN401  (a Polars frame)
    import polars as pl

    if column is None and "embedding" in frame.columns:
        column = "embedding"
    if column is None and frame.width > 1:
        if all(dtype.is_numeric() for dtype in frame.dtypes):
            return frame.cast(pl.Float64).to_numpy()
        message = f"{option}: expected --column, one of {', '.join(frame.columns)}"
        raise InputError(message)
    column = frame.columns[0] if column is None else column
    if column not in frame.columns:
        message = f"{option}: no column {column!r}; there are {', '.join(frame.columns)}"
        raise SourceError(message)
    found = frame[column]
    inner = getattr(found.dtype, "inner", None)
    if inner is not None and inner.is_float():
        from tailwatch.embeddings import as_embeddings

        return as_embeddings(found, option).to_numpy()
    return found.to_numpy() if found.dtype.is_float() else found
