"""All that a model knows, and the file that it is kept in: numbers and text, nothing that runs.

The bytes are those of :mod:`tailwatch.io.sealed`, and begin with
``tailwatch-model1``. Their SHA-256 is the fingerprint; the header has the shapes of the arrays that
follow it. There is one way to write a state, so a file is valid only if writing what was read gives
its bytes again: whatever was changed in it, by accident or on purpose, is noticed. Two models have
the same fingerprint if, and only if, all that they know is equal.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.sealed import (
    Another,
    Damaged,
    Invalid,
    content_of,
    fingerprint_of,
    open_sealed,
    seal,
    write_sealed,
)
from tailwatch.metrics.embeddings.probe import HASHES, Probe
from tailwatch.text_form import path_text, shown
from tailwatch.writing import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "ModelState",
    "fingerprint_of_state",
    "read_state",
    "state_bytes",
    "state_of",
    "write_state",
]

MAGIC: Final = b"tailwatch-model1"
LARGEST_FILE = 1 << 30
"""No model comes near it; a larger file is not read."""

_DTYPES: Final[dict[str, str]] = {
    "weights": "<f8",
    "intercepts": "<f8",
    "bounds": "<u8",
    "edges": "<f4",
    "thresholds": "<f4",
    "human": "<i8",
    "synthetic": "<i8",
    "calibration": "<f4",
}
_MATRICES: Final = {"weights", "human"}
_FIELDS: Final = {"encoder", "fitted_on", "rows", "seed", "shapes", "strata"}


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is kept of the references.

    Attributes
    ----------
    probe
        The models of the score.
    edges
        Inner edges of its bins, ascending.
    thresholds
        Those edges that the lower bound uses; none with a synthetic reference.
    human
        Counts of the human reference: parts × bins.
    synthetic
        Counts of the synthetic reference, or zeros.
    calibration
        Human scores behind the p-values, ascending.
    strata
        Names of the parts where they are strata; empty where they are random.
    encoder
        Name of the encoder, if given.
    fitted_on
        Rows of each class that the probe was fitted on, human first.
    rows
        Rows of each class that were given.
    seed
        Of all random choices.
    """

    probe: Probe
    edges: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    human: NDArray[np.int64]
    synthetic: NDArray[np.int64]
    calibration: NDArray[np.float32]
    strata: tuple[str, ...]
    encoder: str | None
    fitted_on: tuple[int, int]
    rows: tuple[int, int]
    seed: int

    @property
    def human_only(self) -> bool:
        """Whether there is no synthetic reference."""
        return not self.synthetic.any()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name, in the order of the file."""
        kept = {name: getattr(self.probe, name) for name in ("weights", "intercepts", "bounds")}
        names = ("edges", "thresholds", "human", "synthetic", "calibration")
        return kept | {name: getattr(self, name) for name in names}


def fingerprint_of_state(state: ModelState) -> str:
    """Return the fingerprint: 64 hexadecimal digits over all that the model knows."""
    return fingerprint_of(_content(state))


def write_state(state: ModelState, path: Path) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written.
    """
    write_sealed(path, MAGIC, _content(state))


def state_bytes(state: ModelState) -> bytes:
    """Return the bytes of a file, as a model travels between processes too."""
    return seal(MAGIC, _content(state))


def read_state(path: Path) -> ModelState:
    """Read and check a file.

    Raises
    ------
    SourceError
        If it cannot be read, is no model, or not the file that was written.
    """
    name = path_text(path)
    try:
        data = _read(path)
    except OSError as error:
        message = f"cannot read {name}: {error.strerror}"
        raise SourceError(
            message,
            argument="model",
            expected="a file that can be read",
            got=error.strerror,
            where=name,
        ) from error
    return state_of(data, name)


def state_of(data: bytes, name: str) -> ModelState:
    """Check the bytes of a file, and give the state in arrays of its own.

    Parameters
    ----------
    data
        The bytes.
    name
        What they came from, for the text of an error.

    Raises
    ------
    SourceError
        If they are no model, or not those that were written.
    """
    try:
        header, arrays = open_sealed(data, MAGIC, _shapes)
        state = _state(header, arrays)
        _check(state)
    except Another as error:
        message = f"{name} is not a tailwatch model"
        raise _unfit(message, name, "a file that save() wrote", "another file") from error
    except Damaged as error:
        message = f"{name} is damaged: its bytes are not those that were written"
        raise _unfit(message, name, "the bytes that were written", "other bytes") from error
    except (Invalid, InputError, ValueError, TypeError, OverflowError) as error:
        message = f"{name} is not a valid tailwatch model: {error}"
        raise _unfit(message, name, "what fit() gives", f"{error}") from error
    return state


def _read(path: Path) -> bytes:
    """Read a regular file, or nothing of one that is larger than any model."""
    # Without waiting for whoever writes to a FIFO.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(
                argument="model",
                expected="a regular file",
                got=kind_of(found.st_mode),
                where=path_text(path),
            )
        return file.read() if found.st_size <= LARGEST_FILE else b""


def _unfit(message: str, name: str, expected: str, got: str) -> SourceError:
    return SourceError(message, argument="model", expected=expected, got=got, where=name)


def _content(state: ModelState) -> Iterator[bytes]:
    header = {
        "encoder": state.encoder,
        "fitted_on": list(state.fitted_on),
        "rows": list(state.rows),
        "seed": state.seed,
        "shapes": {name: list(array.shape) for name, array in state.arrays().items()},
        "strata": list(state.strata),
    }
    return content_of(header, zip(state.arrays().values(), _DTYPES.values(), strict=True))


def _shapes(header: Any) -> list[tuple[str, str, tuple[int, ...]]]:  # noqa: ANN401
    """Return the arrays that a header tells of, if it is that of a model."""
    if not isinstance(header, dict) or set(header) != _FIELDS:
        raise InputError(argument="header", expected=f"the fields {', '.join(sorted(_FIELDS))}")
    shapes = header["shapes"]
    if not isinstance(shapes, dict) or set(shapes) != set(_DTYPES):
        raise InputError(argument="header", expected=f"the shapes of {', '.join(_DTYPES)}")
    return [
        (name, dtype, tuple(_integers(shapes[name], name, 2 if name in _MATRICES else 1)))
        for name, dtype in _DTYPES.items()
    ]


def _state(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ModelState:
    fitted_on, rows = (_integers(header[name], name, 2) for name in ("fitted_on", "rows"))
    encoder, strata = header["encoder"], header["strata"]
    texts = [*([] if encoder is None else [encoder]), *strata]
    if not isinstance(strata, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(argument="header", expected="text for the encoder and each of the strata")
    return ModelState(
        Probe(arrays["weights"], arrays["intercepts"], arrays["bounds"]),
        arrays["edges"],
        arrays["thresholds"],
        arrays["human"],
        arrays["synthetic"],
        arrays["calibration"],
        tuple(strata),
        encoder,
        (fitted_on[0], fitted_on[1]),
        (rows[0], rows[1]),
        _integers([header["seed"]], "seed", 1)[0],
    )


def _integers(values: object, name: str, count: int) -> list[int]:
    good = isinstance(values, list) and len(values) == count
    if not isinstance(values, list) or not good or not all(_is_count(value) for value in values):
        raise InputError(
            argument=f"header: {name}",
            expected=f"{count} integers of at least 0",
            got=shown(values),
        )
    return values


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _check(state: ModelState) -> None:
    """Refuse a state that no fit can have made."""
    folds, bins = len(state.probe.weights), len(state.edges) + 1
    rules = {
        "weights: expected folds × columns, at least one of each": state.probe.weights.ndim == 2
        and state.probe.weights.size > 0
        and folds < 256,
        "intercepts: expected one for each fold": state.probe.intercepts.shape == (folds,),
        "bounds: expected one for each fold": state.probe.bounds.shape == (folds,),
        "edges: expected a list": state.edges.ndim == 1,
        "thresholds: expected a list": state.thresholds.ndim == 1,
        "human: expected parts × bins": state.human.ndim == 2 and state.human.shape[1:] == (bins,),
        "synthetic: expected a count for each bin": state.synthetic.shape == (bins,),
        "calibration: expected a list of scores": state.calibration.ndim == 1
        and state.calibration.size > 0,
        "rows: expected counts of at least 1": min(*state.rows, *state.fitted_on) > 0,
        "seed: expected an integer of at least 0": state.seed >= 0,
    }
    _require(rules)
    bounds = state.probe.bounds
    contents = {
        f"{name}: expected finite numbers": bool(np.isfinite(array).all())
        for name, array in state.arrays().items()
    }
    contents |= {
        "bounds: expected ascending, up to all hashes": bool((bounds[1:] >= bounds[:-1]).all())
        and int(bounds[-1]) == HASHES,
        "edges: expected ascending": bool((np.diff(state.edges) > 0).all()),
        "calibration: expected ascending": bool((np.diff(state.calibration) >= 0).all()),
        "thresholds: expected among the edges": bool(np.isin(state.thresholds, state.edges).all()),
        "human: expected rows in each of two parts": len(state.human) > 1
        and bool((state.human >= 0).all())
        and bool((state.human.sum(axis=1) > 0).all())
        and int(state.human.sum()) == state.rows[0],
        "synthetic: expected the counts of its rows": bool((state.synthetic >= 0).all())
        and int(state.synthetic.sum()) in {0, state.rows[1]},
        "strata: expected a name for each part": len(state.strata) in {0, len(state.human)},
    }
    _require(contents)


def _require(rules: dict[str, bool]) -> None:
    for text, good in rules.items():
        if not good:
            name, _, expected = text.partition(": expected ")
            raise InputError(argument=name, expected=expected)
