"""What counts as a set of embeddings: rows of float16, float32 or float64, all of one length.

The file is long because :class:`Embeddings` and :func:`open` are what every user of the package
meets, and do not go apart: more than half of it says what is borrowed, mapped and read, and what
each method takes, gives and raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch._core import Rows
from tailwatch.arguments import integer
from tailwatch.exceptions import InputError, NonFiniteError
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.objects import ArrayPart
from tailwatch.io.part import cut, gather, join, regroup
from tailwatch.io.paths import title
from tailwatch.io.readers import are_paths, open_parts
from tailwatch.io.regular import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch.io.columns import ArrowArray, ArrowStream
    from tailwatch.io.objects import TorchTensor
    from tailwatch.io.part import Matrix, Part
    from tailwatch.io.paths import Paths
    from tailwatch.io.walking import Omission

__all__ = ["Embeddings", "EmbeddingsLike", "as_embeddings", "open"]

EmbeddingsLike: TypeAlias = (
    "Embeddings | NDArray[np.floating[Any]] | pl.Series | pl.DataFrame"
    " | ArrowStream | ArrowArray | TorchTensor | Paths"
)
"""All that every metric takes in place of `Embeddings`."""


class Embeddings:
    """Rows of embeddings in memory or in files; made by :func:`tailwatch.open`.

    Shape and type are known; rows are borrowed, mapped or read when they are needed. Of a file
    nothing is believed that it does not bear out, and a file that is damaged, or is written to
    meanwhile, is an error that names it:

    - NumPy arrays of any strides, torch tensors, Polars and Arrow data are borrowed. Nothing is
      copied and chunks are not joined, so **do not write to the data while a call is running**: a
      metric would see both states. Only arrays in foreign byte order, or off their alignment, are
      copied.
    - ``.npy`` files are read in pieces by :meth:`batches`, :meth:`take` and :meth:`to_numpy`. For a
      metric, which needs all rows at once, they are mapped into memory: the system reads the pages
      that are used, and may drop them again. A call that meets a page which the file no longer has
      ends with an error. To see to that, a handler of SIGBUS is installed with the first map, which
      hands on what is none of its business.
    - ``.parquet`` files are streamed by :meth:`batches`, :meth:`take` and :meth:`to_numpy`, some
      megabytes at a time where their rows are whole and of one length. What has another form, and
      ``.arrow`` files, are decoded by a process of their own, which a damaged file may end, a few
      row groups at a time; of Arrow's stream format that process holds all. A metric needs all rows
      at once: its first call reads them, and they are kept as long as this object. Checksums of
      pages are verified where a Parquet file has them.
    - ``.npz`` archives are unpacked in the same ways, whenever rows are needed.

    Parameters
    ----------
    parts
        The parts: at least one, each with rows, all with the same number of columns.
    name
        Name in tables and reports.
    argument
        Name in the text of errors.
    ids
        Identifiers of the rows, where they do not come from the parts.
    left_out
        Files of the source that are not read.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> embeddings = tw.open(np.eye(3, dtype=np.float32))
    >>> embeddings
    Embeddings(source: 3 rows × 3 columns, float32)
    >>> [batch.shape for batch in embeddings.batches(2)]
    [(2, 3), (1, 3)]
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        name: str,
        argument: str,
        ids: pl.Series | None = None,
        left_out: tuple[Omission, ...] = (),
    ) -> None:
        self._parts = tuple(parts)
        self._name = name
        self._argument = argument
        self._ids = ids
        self._left_out = left_out

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self), self.columns

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self._parts[0].columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """float16, float32 or float64: the widest of the parts."""
        return np.result_type(*(part.dtype for part in self._parts))

    @property
    def name(self) -> str:
        """Name in tables and reports: the path or glob, or the argument's name."""
        return self._name

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the rows come from, in their order; none for data in memory."""
        return tuple(part.file for part in self._parts if part.file is not None)

    @property
    def left_out(self) -> tuple[Omission, ...]:
        """Files of a packed folder, or one of clip-retrieval, that are not read, by reason.

        Each has a `reason`, a number of `files` and the first `names`. When the folder was opened a
        :class:`tailwatch.exceptions.TailwatchWarning` said the same.
        """
        return self._left_out

    @property
    def ids(self) -> pl.Series | None:
        """The column that ``id_column`` named, in the order of the rows; read at first use."""
        if self._ids is None:
            found = [
                column for part in self._parts if (column := part.ids(self._argument)) is not None
            ]
            if found:
                with Place(self._argument).reading():
                    self._ids = pl.concat(found)
        return self._ids

    def labels(self, column: str) -> pl.Series:
        """Read a column that stands beside the embeddings, such as one of labels.

        Parameters
        ----------
        column
            Its name, in every table that the rows come from.

        Returns
        -------
        polars.Series
            One entry per row, in the order of the rows; read anew at each call.

        Raises
        ------
        SourceError
            If a table has no such column, or tables hold it in types that do not go together.
        InputError
            If the rows come from an array, which has nothing beside them.

        Examples
        --------
        >>> import polars as pl
        >>> import tailwatch as tw
        >>> vectors = pl.Series([[0.0, 1.0], [1.0, 0.5]], dtype=pl.Array(pl.Float32, 2))
        >>> frame = pl.DataFrame({"embedding": vectors, "label": ["cat", "dog"]})
        >>> tw.open(frame).labels("label").to_list()
        ['cat', 'dog']
        """
        found = [part.beside(column, self._argument).to_frame() for part in self._parts]
        if len({each.schema[column] for each in found}) > 1:
            # Categories that differ between files are the same texts all the same.
            coded = pl.col(pl.Categorical, pl.Enum)
            found = [each.with_columns(coded.cast(pl.String)) for each in found]
        with Place(self._argument).reading():
            return pl.concat(found, how="vertical_relaxed")[column]

    def batches(self, rows: int = 65_536, *, exact: bool = True) -> Iterator[Matrix]:
        """Yield the rows in order, in arrays of `rows` rows; the last one may be shorter.

        A batch that lies within one chunk is a view, and may be read-only or have any strides.
        Values are not checked to be finite.

        Parameters
        ----------
        rows
            Rows of a batch, at least 1.
        exact
            If false, any batch may be shorter: batches are as long as the pieces in which rows are
            read, and only short ones are copied, together.

        Yields
        ------
        numpy.ndarray
            Two-dimensional, of type :attr:`dtype`.

        Raises
        ------
        InputError
            If `rows` is less than 1, or a file turns out to be damaged, ragged or to hold nulls.
        """
        into_batches = regroup if exact else cut
        return into_batches(self._stream(), integer(rows, "rows"), self.dtype)

    def to_numpy(self) -> Matrix:
        """Return all rows as one array.

        Returns
        -------
        numpy.ndarray
            Of type :attr:`dtype`. Where the source is one chunk in memory this is a view of it: it
            may be read-only, and writing to it may change the source.
        """
        return join(self._stream(), self.shape, self.dtype)

    def take(self, indices: NDArray[np.integer[Any]] | Sequence[int]) -> Embeddings:
        """Copy some rows into memory, in one pass over the source.

        Parameters
        ----------
        indices
            Row numbers, counted from 0, in any order; a row may come more than once.

        Returns
        -------
        Embeddings
            The rows in the order of `indices`, with their identifiers.

        Raises
        ------
        InputError
            If `indices` is empty, holds anything but integers, or a row that is not there.

        Examples
        --------
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> tw.open(np.eye(3)).take([2, 0]).to_numpy()
        array([[0., 0., 1.],
               [1., 0., 0.]])
        """
        rows = _row_numbers(indices, len(self))
        chosen = np.empty((len(rows), self.columns), self.dtype)
        gather(self._stream(), rows, chosen)
        ids = None if self.ids is None else self.ids.gather(rows)
        part = ArrayPart(chosen)
        return Embeddings([part], name=self._name, argument=self._argument, ids=ids)

    def handle(self, *, check: bool = True) -> Rows:
        """Return all rows as the compiled code takes them.

        A file that has not been read is read now, and kept. What is in memory is borrowed.

        Parameters
        ----------
        check
            Look at every value, and raise an error if one is not finite.

        Returns
        -------
        Rows
            The rows, chunk by chunk as they lie.

        Raises
        ------
        NonFiniteError
            If a value is NaN, infinite, or so large that its square overflows.
        InputError
            If a file turns out to be damaged, ragged or to hold nulls.
        """
        pieces = [self._rows_of(part, first) for part, first in self._numbered()]
        rows = pieces[0] if len(pieces) == 1 else Rows.concat(pieces)
        if check:
            self._check_finite(rows, pieces)
        return rows

    def as_argument(self, argument: str) -> Embeddings:
        """Return the same rows under the name of another argument, for the text of errors."""
        return Embeddings(
            self._parts,
            name=self._name,
            argument=argument,
            ids=self._ids,
            left_out=self._left_out,
        )

    def __len__(self) -> int:
        return sum(part.rows for part in self._parts)

    def __repr__(self) -> str:
        files = f" in {len(self._parts):,} files" if len(self._parts) > 1 else ""
        return (
            f"Embeddings({self._name}: {len(self):,} rows × {self.columns:,} columns, "
            f"{self.dtype}{files}{''.join(f'; {each}' for each in self._left_out)})"
        )

    def _numbered(self) -> Iterator[tuple[Part, int]]:
        """Yield each part with the number of its first row."""
        first = 0
        for part in self._parts:
            yield part, first
            first += part.rows

    def _stream(self) -> Iterator[Matrix]:
        for part, first in self._numbered():
            yield from part.stream(self._argument, first)

    def _rows_of(self, part: Part, first: int) -> Rows:
        # Loading a column checks it too: here the number of a null or ragged row is known.
        chunks = part.load(self._argument, first)
        if part.arrow is not None:
            return Rows.from_arrow(part.arrow, self._argument)
        return Rows.from_numpy(chunks, self._argument)

    def _check_finite(self, rows: Rows, pieces: list[Rows]) -> None:
        try:
            rows.check_finite(self._argument)
        except NonFiniteError as error:
            origin = next(
                part.file
                for part, piece in zip(self._parts, pieces, strict=True)
                if not _is_finite(piece)
            )
            if origin is None:
                raise
            msg = f"{str(error).removeprefix(f'{self._argument}: ')}, in {origin}"
            raise NonFiniteError(
                msg,
                argument=self._argument,
                expected=error.expected or "finite numbers",
                got=error.got,
                where=f"{error.where}, in {origin}",
            ) from None


def open(
    source: EmbeddingsLike,
    *,
    column: str = DEFAULT_COLUMN,
    id_column: str | None = None,
    binary: str | None = None,
) -> Embeddings:
    """Open embeddings in memory or in files; what follows decides what is read.

    Parameters
    ----------
    source
        One of

        - a 2-D NumPy array of float16, float32 or float64, of any strides, or a ``np.memmap``;
        - a Polars `Series` of `Array` or `List`;
        - anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``: a column of vectors, or a
          table (Polars, pyarrow, pandas), of which `column` is taken;
        - a torch tensor on the CPU;
        - a path, a glob, or a list of these, to ``.npy``, ``.npz``, ``.parquet``, ``.arrow``,
          ``.feather`` or ``.ipc`` files. A glob's files come in the order of their names; files of
          different kinds may be mixed; empty files are passed over;
        - a folder that ``tailwatch pack`` wrote, or one of clip-retrieval (``img_emb/*.npy`` with
          ``metadata/*.parquet``); a warning and :attr:`Embeddings.left_out` name what else lies
          there.
    column
        Column of a table, or array of a ``.npz`` archive with several. Where there is no column
        ``embedding``, the default takes ``emb`` or ``embeddings`` if just one of them is there.
    id_column
        Column of a table with identifiers of the rows, kept as :attr:`Embeddings.ids`.
    binary
        ``"float16"``, ``"float32"`` or ``"float64"``: what the bytes of a Binary column are, in
        little-endian order. Other columns tell by themselves.

    Returns
    -------
    Embeddings
        The rows; see there what is borrowed, mapped and read.

    Raises
    ------
    SourceError
        If a file, column or pattern cannot be found or read.
    DimensionError
        If the data are not two-dimensional, or files differ in their numbers of columns.
    InputError
        If the source is nothing of the above, is empty, or holds other types than floats.

    Examples
    --------
    >>> import polars as pl
    >>> import tailwatch as tw
    >>> vectors = pl.Series([[0.0, 1.0], [1.0, 0.5]], dtype=pl.Array(pl.Float32, 2))
    >>> frame = pl.DataFrame({"key": ["a", "b"], "embedding": vectors})
    >>> embeddings = tw.open(frame, id_column="key")
    >>> embeddings.shape, embeddings.ids.to_list()
    ((2, 2), ['a', 'b'])

    A directory of shards, which need not fit into memory to be walked through:

    >>> embeddings = tw.open("human/*.parquet", column="vector")  # doctest: +SKIP
    >>> for batch in embeddings.batches():  # doctest: +SKIP
    ...     print(batch.mean())
    """
    return _opened(source, "source", column, id_column, binary)


def as_embeddings(source: EmbeddingsLike, argument: str) -> Embeddings:
    """Take an argument of a metric, in any of the forms that :func:`open` lists.

    Parameters
    ----------
    source
        `Embeddings`, or what :func:`open` makes them of.
    argument
        Name of the argument, which every error about it starts with.

    Returns
    -------
    Embeddings
        The rows.
    """
    return _opened(source, argument, DEFAULT_COLUMN, None)


def _opened(
    source: EmbeddingsLike,
    argument: str,
    column: str,
    id_column: str | None,
    binary: str | None = None,
) -> Embeddings:
    if isinstance(source, Embeddings):
        return source.as_argument(argument)
    parts, left_out = open_parts(
        source, argument, column=column, id_column=id_column, binary=binary
    )
    name = title(source) if are_paths(source) else argument
    return Embeddings(parts, name=name, argument=argument, left_out=left_out)


def _is_finite(rows: Rows) -> bool:
    try:
        rows.check_finite("")
    except NonFiniteError:
        return False
    return True


def _row_numbers(indices: NDArray[np.integer[Any]] | Sequence[int], rows: int) -> NDArray[np.int64]:
    numbers = np.asarray(indices)
    if numbers.ndim != 1 or not numbers.size or numbers.dtype.kind not in "iu":
        raise InputError(
            argument="indices",
            expected="a non-empty list of row numbers",
            got=f"{numbers.dtype} of shape {numbers.shape}",
        )
    outside = (numbers < 0) | (numbers >= rows)
    if outside.any():
        raise InputError(
            argument="indices",
            expected=f"rows from 0 to {rows - 1}",
            got=str(numbers[outside.argmax()]),
        )
    return numbers.astype(np.int64, copy=False)
