"""A reference in one file: human rows, or numbers in their place, and what they are prepared for.

The file is sealed (:mod:`tailwatch.io.sealed`): it begins with ``tailwatch-human1``, and its header
has the ``arguments`` of the reference, ``name``, ``shape`` and ``dtype`` of the rows, and whether
they are there (``rows``). Behind it stand

- with rows: n·d values, one row after the other, of the widest of the types that they had;
- without: for each family of metrics its :meth:`~.metrics.family.Summary.state` in float64, of
  shapes that follow from arguments and columns. Moments for the Fréchet distance are 8·32·(d +
  d(d+1)/2) bytes, those for the extrapolated one 8·62·(d + d(d+1)/2), directional tails 16·256·d
  and 262,392 bytes; other metrics that need no rows, 1 KB or less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tailwatch.comparison.human import HumanRows, HumanSide, HumanSummary, Source, summary_shapes
from tailwatch.comparison.request import Request
from tailwatch.embeddings import Embeddings
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.io.objects import ArrayPart
from tailwatch.io.regular import Place, open_regular
from tailwatch.io.sealed import (
    Another,
    Damaged,
    Invalid,
    content_of,
    fingerprint_of,
    open_sealed,
    write_sealed,
)
from tailwatch.progress import running
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tailwatch.comparison.metrics.family import State
    from tailwatch.io.sealed import Content, Shape

__all__ = ["SUFFIX", "fingerprint_of_side", "read_reference", "write_reference"]

SUFFIX: Final = ".tailwatch"
MAGIC: Final = b"tailwatch-human1"
_FIELDS: Final = {"arguments", "dtype", "name", "rows", "shape"}
_TYPES: Final = {"float16": "<f2", "float32": "<f4", "float64": "<f8"}
_STATE: Final = "<f8"


def fingerprint_of_side(side: HumanSide) -> str:
    """Return the fingerprint: 64 hexadecimal digits over all that a file would hold."""
    return fingerprint_of(_content(side, rows=not isinstance(side, HumanSummary)))


def write_reference(side: HumanSide, path: Path, *, rows: bool) -> Path:
    """Write a file that appears whole or not at all.

    Raises
    ------
    InputError
        The rows are to be kept and are not there, or are not and are needed.
    OSError
        The folder does not exist, or the file cannot be written.
    """
    return write_sealed(path, MAGIC, _content(side, rows=rows))


def read_reference(path: Path, argument: str) -> HumanSide:
    """Read and check a file.

    Parameters
    ----------
    path
        The file.
    argument
        Name of the argument, which every error starts with.

    Raises
    ------
    SourceError
        It cannot be read, is no reference, or not as it was written.
    """
    place = Place(argument, path_text(path))
    with open_regular(path, place) as opened, place.reading():
        try:
            content = open_sealed(opened, MAGIC, _shapes)
        except Another as error:
            raise _unfit(argument, path, str(error)) from error
        except Damaged as error:
            raise _unfit(argument, path, "a file that is damaged") from error
        except Invalid as error:
            raise _unfit(argument, path, f"another content: {error}") from error
    return _side(content, argument)


def _unfit(argument: str, path: Path, got: str) -> SourceError:
    return SourceError(
        argument=argument,
        expected="a file that Reference.save wrote",
        got=got,
        where=path_text(path),
    )


def _content(side: HumanSide, *, rows: bool) -> Iterator[bytes]:
    """Return header and arrays; what cannot be kept is refused before a file is begun."""
    source = side.source
    header = {
        "arguments": _arguments(side.request),
        "dtype": source.dtype,
        "name": source.name,
        "rows": rows,
        "shape": [source.rows, source.columns],
    }
    if rows:
        dtype = _TYPES[source.dtype]
        return content_of(
            header, ((some, dtype) for some in side.require_rows("rows").embeddings.batches())
        )
    with running(None, None) as settings:
        states = side.summary(settings)
    arrays = (array for state in states.values() for _, array in sorted(state.items()))
    return content_of(header, ((array, _STATE) for array in arrays))


def _arguments(request: Request) -> dict[str, Any]:
    arguments = request.arguments()
    # Of each interval, which a comparison is asked for, not a reference.
    del arguments["confidence"]
    return arguments


def _shapes(header: Any) -> list[Shape]:  # noqa: ANN401  (values of JSON)
    """Return the arrays that a header tells of, if it is that of a reference."""
    if not isinstance(header, dict) or set(header) != _FIELDS:
        raise InputError(argument="header", expected=f"the fields {', '.join(sorted(_FIELDS))}")
    shape, rows = header["shape"], header["rows"]
    good = (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(count) is int and count > 0 for count in shape)
        and isinstance(header["name"], str)
        and isinstance(rows, bool)
        and header["dtype"] in _TYPES
    )
    if not good:
        raise InputError(argument="header", expected="name, shape and type of human rows")
    request = _request(header["arguments"])
    if rows:
        return [("rows", _TYPES[header["dtype"]], tuple(shape))]
    source = Source(header["name"], shape[0], shape[1], header["dtype"])
    return [
        (f"{family}.{name}", _STATE, of_state)
        for family, state in summary_shapes(source, request).items()
        for name, of_state in sorted(state.items())
    ]


def _request(arguments: Any) -> Request:  # noqa: ANN401  (values of JSON)
    if not isinstance(arguments, dict):
        raise InputError(argument="arguments", expected="those of a reference")
    try:
        request = Request.of(**arguments)
    except (TailwatchError, TypeError) as error:
        expected = "those of a reference"
        raise InputError(argument="arguments", expected=expected, got=str(error)) from error
    if _arguments(request) != arguments:
        raise InputError(argument="arguments", expected="those of a reference")
    return request


def _side(content: Content, argument: str) -> HumanSide:
    header, arrays = content
    request, (rows, columns) = _request(header["arguments"]), header["shape"]
    if header["rows"]:
        part = ArrayPart(arrays["rows"])
        return HumanRows(Embeddings([part], name=header["name"], argument=argument), request)
    states: dict[str, State] = {}
    for name, array in arrays.items():
        family, _, of_state = name.rpartition(".")
        states.setdefault(family, {})[of_state] = np.asarray(array)
    source = Source(header["name"], rows, columns, header["dtype"])
    return HumanSummary(source, request, states)
