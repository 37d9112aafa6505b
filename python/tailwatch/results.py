"""Results: what each of them gives, and the files that it is kept in.

==============  =================================================================================
suffix          content
==============  =================================================================================
``.html``       the report page
``.parquet``    the frame
``.csv``        the frame, with hidden characters of its texts as escapes
``.json``       sentence, frame and all else, for other programs; what is not finite is null
``.tailwatch``  the whole result, which :meth:`Result.load` reads again
==============  =================================================================================

The last form is text in ASCII and holds no code. It is one line of JSON with the fields

==============  =================================================================================
``format``      ``"tailwatch-result"``
``version``     1
``kind``        which result it is
``tailwatch``   version of the package that wrote it
``sha256``      of the field ``content``, as it is written
``content``     ``values`` of JSON; ``tables``, of each column its name, type and values; ``bytes``
                in base 64
==============  =================================================================================

There is one way to write a content, so whatever was changed in it is noticed. Numbers are written
such that reading gives the same float64; NaN and infinities stand as text in columns of floats.
Cost: some ten bytes for each cell of a table.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

import polars as pl

from tailwatch.background import uses_polars
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.io.regular import Place, open_regular
from tailwatch.text_form import path_text, reversible, shown
from tailwatch.writing import fill, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

__all__ = ["Result", "plain", "strict_json"]

SUFFIX: Final = ".tailwatch"
FORMAT: Final = "tailwatch-result"
VERSION: Final = 1
LARGEST_FILE: Final = 1 << 30
"""No result comes near it; a larger file is not read."""

_FIELDS: Final = ["format", "version", "kind", "tailwatch", "sha256", "content"]
_SECTIONS: Final = ["values", "tables", "bytes"]
_DTYPES: Final[dict[str, type[pl.DataType]]] = {
    str(dtype): dtype
    for dtype in (pl.String, pl.Boolean, pl.Float64, pl.Int64, pl.UInt32, pl.UInt64)
}

_UNFIT: Final = (
    ArithmeticError,
    LookupError,
    RecursionError,
    TailwatchError,
    TypeError,
    ValueError,
    pl.exceptions.PolarsError,
)
"""What Python and Polars raise of content that no result can have."""


class Result(ABC):
    """Base of all results.

    A subclass is a frozen dataclass that leaves ``repr`` and ``eq`` to this class, and says what it
    is called in files (`KIND`), what columns its frames have (`TABLES`), what its sentence and its
    page are, and what other programs get to read (`_document`). Where all of its fields are frames,
    bytes or values of JSON, they are the parts that are kept; where they are not, `_parts` gives
    such parts and `_of_parts` makes a result of them.

    Attributes
    ----------
    KIND
        What a file calls it.
    TABLES
        Columns of those of its parts that are frames, by name.
    """

    __slots__ = ()

    KIND: ClassVar[str]
    TABLES: ClassVar[Mapping[str, Mapping[str, type[pl.DataType]]]]

    if TYPE_CHECKING:
        # At run time a dataclass would take a property for the default of a field of its name.
        @property
        @abstractmethod
        def frame(self) -> pl.DataFrame:
            """The numbers."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The finding in words."""

    @abstractmethod
    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""

    @abstractmethod
    def plot(self) -> Any:  # noqa: ANN401  (a kind of Altair chart)
        """Return the finding as an Altair chart; needs the extra ``tailwatch[plot]``."""

    @abstractmethod
    def _repr_html_(self) -> str:
        """Return the part of the page that a notebook shows."""

    @abstractmethod
    def _document(self) -> dict[str, Any]:
        """Return what :meth:`to_json` writes: frames and values of JSON, by name."""

    def _parts(self) -> dict[str, Any]:
        """Return all that the result is made of: frames, bytes and values of JSON, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        """Make a result of what :meth:`_parts` gave.

        Frames have been checked against `TABLES`. For whatever else no result can have given, any
        error that Python raises of its own will do: :meth:`load` raises one that names the file.
        """
        return cls(**parts)

    def to_json(self) -> str:
        """Return all of it as one JSON object; what is not finite is null."""
        return strict_json(self._document())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result to a file; the suffix says which form.

        Parameters
        ----------
        path
            ``.html`` for the report page, ``.parquet`` or ``.csv`` for the frame, ``.json`` for all
            of it as other programs read it, ``.tailwatch`` for all of it as :meth:`load` does. The
            file appears whole or not at all.

        Returns
        -------
        pathlib.Path
            The path that was written.

        Raises
        ------
        InputError
            Another suffix.
        OSError
            The file cannot be written.
        """
        path = Path(path)
        forms: dict[str, Callable[[Path], object]] = {
            ".html": lambda file: file.write_text(self.to_html(), encoding="utf-8"),
            ".parquet": lambda file: fill(file, self.frame.write_parquet),
            ".csv": lambda file: fill(file, _as_lines(self.frame).write_csv),
            ".json": lambda file: file.write_text(f"{self.to_json()}\n", encoding="utf-8"),
            SUFFIX: lambda file: file.write_text(_written(self), encoding="ascii"),
        }
        if path.suffix.lower() not in forms:
            expected = f"a name ending in {', '.join(forms)}"
            raise InputError(argument="path", expected=expected, got=shown(path.name))
        uses_polars(f"saving {path.suffix.lower()}")
        return write_atomically(path, forms[path.suffix.lower()])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote to a file named ``*.tailwatch``; nothing in it is executed.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Self
            Equal to the result that was saved.

        Raises
        ------
        SourceError
            The file cannot be read, is of another kind, or is not as it was written.
        """
        file = Path(path)
        place = Place("path", path_text(file))
        with open_regular(file, place) as opened, place.reading():
            # Asked for a number of bytes, Python would set as many aside at once.
            size = os.fstat(opened.fileno()).st_size
            data = opened.read() if size <= LARGEST_FILE else b""
        try:
            parts = _read(data, cls.KIND)
            _check_tables(parts, cls.TABLES)
            return cls._of_parts(parts)
        except _UNFIT as error:
            expected = f"what {cls.__name__}.save wrote to a file named *{SUFFIX}"
            raise SourceError(
                argument="path", expected=expected, got=str(error), where=path_text(file)
            ) from error

    def __eq__(self, other: object) -> bool:
        """Compare all parts; NaN is equal to NaN in frames."""
        if not isinstance(other, type(self)):
            return NotImplemented
        mine, others = self._parts(), other._parts()
        return mine.keys() == others.keys() and all(
            _are_equal(part, others[name]) for name, part in mine.items()
        )

    def __hash__(self) -> int:
        """Return the same for equal results: kind and size tell enough of them apart."""
        return hash((self.KIND, self.frame.shape))

    def __repr__(self) -> str:
        """Return the finding and the frame as text."""
        return f"{self.sentence}\n{self.frame}"


def strict_json(document: Mapping[str, Any]) -> str:
    """Return a document as strict JSON, frames as lists of their rows."""
    plain = {
        name: _records(part) if isinstance(part, pl.DataFrame) else part
        for name, part in document.items()
    }
    return json.dumps(plain, indent=2, allow_nan=False)


def plain(value: Any) -> Any:  # noqa: ANN401  (numbers, text, and dataclasses, lists, arrays of them)
    """Return a value as JSON holds it; what is not finite is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as JSON takes them; what is not finite is null."""
    uses_polars("JSON of a frame")
    finite = pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64))
    return frame.with_columns(finite).to_dicts()


def _as_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts can stand in a file of lines: CSV has no escapes of its own."""
    texts = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype == pl.String:
            forms = {text: reversible(text) for text in column.unique() if text is not None}
            texts[name] = pl.Series(
                name, [None if text is None else forms[text] for text in column], pl.String
            )
    return frame.with_columns(**texts)


def _are_equal(part: Any, other: Any) -> bool:  # noqa: ANN401  (frames, bytes, values of JSON)
    if isinstance(part, pl.DataFrame) and isinstance(other, pl.DataFrame):
        return part.schema == other.schema and part.equals(other)
    return type(part) is type(other) and bool(part == other)


def _written(result: Result) -> str:
    """Return the text of a file that :meth:`Result.load` reads."""
    sections: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
    for name, part in result._parts().items():  # noqa: SLF001  (of this module's own class)
        if isinstance(part, pl.DataFrame):
            sections["tables"][name] = _columns(part, name)
        elif isinstance(part, bytes):
            sections["bytes"][name] = base64.b64encode(part).decode("ascii")
        else:
            sections["values"][name] = part
    content = _text(sections)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "kind": result.KIND,
        "tailwatch": version("tailwatch"),
        "sha256": _digest(content),
    }
    return f'{_text(head)[:-1]},"content":{content}}}\n'


def _text(document: object) -> str:
    """Return the one text of a document in this form."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("ascii")).hexdigest()


def _columns(frame: pl.DataFrame, part: str) -> list[list[Any]]:
    """Return name, type and values of each column."""
    columns = []
    for series in frame:
        dtype = str(series.dtype)
        if dtype not in _DTYPES:
            raise InputError(argument=part, expected=f"columns of {', '.join(_DTYPES)}", got=dtype)
        values = series.to_list()
        if series.dtype == pl.Float64:
            values = [
                value if value is None or math.isfinite(value) else str(value) for value in values
            ]
        columns.append([series.name, dtype, values])
    return columns


def _read(data: bytes, kind: str) -> dict[str, Any]:
    """Check the bytes of a file, and return the parts of the result in it.

    Raises
    ------
    ValueError, TypeError, LookupError, ArithmeticError, RecursionError
        They are not what a result of this kind was written as.
    """
    if not data.startswith(f'{{"format":"{FORMAT}",'.encode("ascii")):
        _refuse("another file")
    try:
        text = data.decode("ascii")
        document = json.loads(text)
        damaged = f"{_text(document)}\n" != text
    except (ValueError, RecursionError):
        damaged = True
    if damaged:
        _refuse("a file that is damaged")
    if document["version"] != VERSION:
        _refuse(f"version {document['version']} of the form, of which {VERSION} is known")
    if list(document) != _FIELDS or list(document["content"]) != _SECTIONS:
        _refuse("other fields")
    if _digest(_text(document["content"])) != document["sha256"]:
        _refuse("a file that is damaged")
    if document["kind"] != kind:
        _refuse(f"a result of the kind {document['kind']}")
    values, tables, blobs = document["content"].values()
    return {
        **values,
        **{name: _frame(columns) for name, columns in tables.items()},
        **{name: base64.b64decode(text, validate=True) for name, text in blobs.items()},
    }


def _frame(columns: list[list[Any]]) -> pl.DataFrame:
    """Return the frame whose columns :func:`_columns` wrote down."""
    series = []
    for name, dtype, values in columns:
        numbers = values
        if dtype == "Float64":
            numbers = [None if value is None else float(value) for value in values]
        series.append(pl.Series(name, numbers, _DTYPES[dtype], strict=True))
    return pl.DataFrame(series)


def _check_tables(
    parts: dict[str, Any], tables: Mapping[str, Mapping[str, type[pl.DataType]]]
) -> None:
    """Refuse other frames than a result is made of."""
    frames = {name: part.schema for name, part in parts.items() if isinstance(part, pl.DataFrame)}
    if frames != {name: pl.Schema(columns) for name, columns in tables.items()}:
        _refuse("tables with other columns")


def _refuse(got: str) -> NoReturn:
    raise ValueError(got)
