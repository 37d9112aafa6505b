"""Every form of embeddings gives the same rows, borrowed where the source allows it."""

from __future__ import annotations

import itertools
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import SourceError
from tailwatch.io.part import cut
from tests.support.errors import refused
from tests.support.forms import (
    COLUMNS,
    IN_MEMORY,
    ROWS,
    WRITERS,
    Stream,
    array_series,
    frame,
    sample,
    write_arrow,
    write_npy,
    write_parquet,
)
from tests.support.strategies import DTYPES, chunkings, matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray


def assert_holds(embeddings: tw.Embeddings, x: NDArray[Any]) -> None:
    """All ways to the rows lead to these."""
    assert embeddings.shape == x.shape
    assert (len(embeddings), embeddings.columns) == x.shape
    assert embeddings.dtype == x.dtype
    for rows in (1, 6, len(x), len(x) + 1):
        batches = list(embeddings.batches(rows))
        assert [len(batch) for batch in batches[:-1]] == [rows] * (len(batches) - 1)
        assert all(batch.dtype == x.dtype for batch in batches)
        np.testing.assert_array_equal(np.concatenate(batches), x)
    np.testing.assert_array_equal(embeddings.to_numpy(), x)
    handle = embeddings.handle()
    assert (handle.shape, handle.dtype) == (x.shape, x.dtype.name)
    np.testing.assert_array_equal(handle.to_numpy(), x)
    # What a metric has read gives the same rows again.
    np.testing.assert_array_equal(np.concatenate(list(embeddings.batches(6))), x)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", IN_MEMORY)
def test_forms_in_memory(form: str, dtype: np.dtype[Any]) -> None:
    x = sample(dtype)
    assert_holds(tw.open(IN_MEMORY[form](x)), x)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", WRITERS)
def test_forms_in_files(form: str, dtype: np.dtype[Any], tmp_path: Path) -> None:
    x = sample(dtype)
    write, name = WRITERS[form]
    write(x, tmp_path / name)
    assert_holds(tw.open(tmp_path / name), x)
    np.testing.assert_array_equal(tw.open(str(tmp_path / name)).to_numpy(), x)


@pytest.mark.parametrize("form", ["arrow", "arrow compressed", "arrow stream"])
def test_arrow_files_without_pyarrow(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = sample()
    WRITERS[form][0](x, tmp_path / "x.arrow")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert_holds(tw.open(tmp_path / "x.arrow"), x)


def test_several_files_of_several_kinds(tmp_path: Path) -> None:
    x = sample()
    write_npy(x[:5], tmp_path / "a.npy")
    write_arrow(x[5:11], tmp_path / "b.arrow")
    write_npy(x[:0], tmp_path / "c.npy")
    write_parquet(x[11:], tmp_path / "d.parquet")
    paths = [tmp_path / name for name in ("a.npy", "b.arrow", "c.npy", "d.parquet")]
    for source in (paths, [str(path) for path in paths], tuple(paths), tmp_path / "*"):
        assert_holds(tw.open(source), x)
    embeddings = tw.open([paths[3], f"{tmp_path}/[ab].*"])
    assert_holds(embeddings, np.concatenate([x[11:], x[:11]]))
    assert embeddings.files == tuple(str(paths[i]) for i in (3, 0, 1))


def test_files_of_several_types_take_the_widest(tmp_path: Path) -> None:
    x = sample(np.float16)
    write_npy(x[:5], tmp_path / "a.npy")
    write_npy(x[5:].astype(np.float64), tmp_path / "b.npy")
    assert_holds(tw.open(tmp_path / "*.npy"), x.astype(np.float64))


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(tmp_path: Path) -> None:
    x = sample()
    for name in ("x[1].npy", "x[1].parquet"):
        WRITERS[Path(name).suffix[1:]][0](x, tmp_path / name)
        assert_holds(tw.open(tmp_path / name), x)


def test_memory_is_borrowed() -> None:
    x = sample()
    for form in ("numpy", "numpy fortran order", "torch tensor", "arrow fixed-size list"):
        source = IN_MEMORY[form](x)
        memory = source.values.to_numpy() if isinstance(source, pa.Array) else x
        memory = source if form == "numpy fortran order" else memory
        embeddings = tw.open(source)
        assert all(np.shares_memory(batch, memory) for batch in embeddings.batches(6)), form
        assert np.shares_memory(embeddings.to_numpy(), memory), form


def test_chunks_are_not_joined() -> None:
    values = pa.array(sample().ravel())
    whole = pa.FixedSizeListArray.from_arrays(values, COLUMNS)
    chunks = pa.chunked_array([whole[10:], whole[:10]])
    series = pl.Series(Stream(chunks)).alias("embedding")
    assert series.n_chunks() == 2
    for source in (chunks, pa.table({"embedding": chunks}), series, series.to_frame()):
        first, second = tw.open(source).batches(ROWS - 10)
        assert np.shares_memory(first, values.to_numpy())
        assert np.shares_memory(second, values.to_numpy())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.skipif(sys.platform != "linux", reason="maps are listed in /proc")
def test_npy_files_are_mapped_for_compiled_code_alone(tmp_path: Path) -> None:
    write_npy(sample(rows=5_000), tmp_path / "x.npy")
    embeddings = tw.open(tmp_path / "x.npy")

    def maps() -> list[list[str]]:
        lines = Path("/proc/self/maps").read_text().splitlines()
        return [line.split()[0].split("-") for line in lines if line.endswith("/x.npy")]

    assert not maps()
    rows = embeddings.handle()
    assert len(maps()) == 1
    address = next(embeddings.batches(5)).__array_interface__["data"][0]
    assert not any(int(low, 16) <= address < int(high, 16) for low, high in maps())
    del embeddings
    assert len(maps()) == 1
    del rows
    assert not maps()


def test_more_npy_files_than_may_be_open(tmp_path: Path) -> None:
    x = sample(rows=300)
    for row in range(len(x)):
        np.save(tmp_path / f"{row:04}.npy", x[row : row + 1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        embeddings = tw.open(tmp_path / "*.npy")
        np.testing.assert_array_equal(embeddings.to_numpy(), x)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_opening_reads_no_rows_of_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    array_series(sample(rows=5_000)).to_frame().write_parquet(path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    embeddings = tw.open(path)
    assert embeddings.shape == (5_000, COLUMNS)
    with refused(
        SourceError,
        "source",
        "readable data",
        "parquet: File out of specification: Invalid thrift: protocol error",
        "…/x.parquet",
    ):
        embeddings.handle()


def test_a_file_is_streamed_by_batches_and_kept_by_handle(tmp_path: Path) -> None:
    x = sample()
    path = tmp_path / "x.parquet"
    write_parquet(x, path)
    streamed, kept = tw.open(path), tw.open(path)
    np.testing.assert_array_equal(np.concatenate(list(streamed.batches(6))), x)
    kept.handle()
    path.unlink()
    assert_holds(kept, x)
    # The rows are shared by every name under which the set is an argument.
    assert_holds(as_embeddings(kept, "reference"), x)
    with refused(
        SourceError, "source", "readable data", "No such file or directory", "…/x.parquet"
    ):
        streamed.handle()


@pytest.mark.parametrize("form", ["npy", "parquet", "arrow"])
@pytest.mark.parametrize("rows", [ROWS - 1, ROWS + 1])
def test_a_file_that_changes_after_it_was_opened(form: str, rows: int, tmp_path: Path) -> None:
    write, name = WRITERS[form]
    write(sample(), tmp_path / name)
    embeddings = tw.open(tmp_path / name)
    (tmp_path / name).unlink()
    write(sample(rows=rows), tmp_path / name)
    expected = "23 rows of 4 columns of float32"
    with refused(SourceError, "source", expected, "others", str(tmp_path / name)):
        embeddings.handle()


@pytest.mark.parametrize("name", ["embedding", "emb", "embeddings"])
def test_names_of_the_column(name: str, tmp_path: Path) -> None:
    x = sample()
    renamed = frame(x).rename({"embedding": name})
    renamed.write_parquet(tmp_path / "x.parquet")
    assert_holds(tw.open(renamed), x)
    assert_holds(tw.open(tmp_path / "x.parquet"), x)
    other = renamed.with_columns(other=array_series(-x))
    assert_holds(tw.open(other, column="other"), -x)


def test_the_default_column_comes_before_its_stand_ins() -> None:
    x = sample()
    both = frame(x).with_columns(emb=array_series(-x), embeddings=array_series(-x))
    assert_holds(tw.open(both), x)


def test_npz_with_several_arrays(tmp_path: Path) -> None:
    x = sample()
    np.savez(tmp_path / "x.npz", embedding=x, other=-x, labels=np.arange(ROWS))
    assert_holds(tw.open(tmp_path / "x.npz"), x)
    assert_holds(tw.open(tmp_path / "x.npz", column="other"), -x)


def test_identifiers(tmp_path: Path) -> None:
    x = sample()
    keyed = frame(x)
    keyed[:9].write_parquet(tmp_path / "a.parquet")
    keyed[9:].write_ipc(tmp_path / "b.arrow")
    keys = keyed["key"].to_list()
    for source in (keyed, keyed.to_arrow(), [tmp_path / "a.parquet", tmp_path / "b.arrow"]):
        embeddings = tw.open(source, id_column="key")
        assert embeddings.ids is not None
        assert embeddings.ids.to_list() == keys
        taken = embeddings.take([20, 3, 3])
        assert taken.ids is not None
        assert taken.ids.to_list() == ["k20", "k3", "k3"]
    assert tw.open(keyed).ids is None


def test_name_and_representation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = sample(rows=1_200)
    write_npy(x, Path("a.npy"))
    write_npy(x, Path("b.npy"))
    assert repr(tw.open("a.npy")) == "Embeddings(a.npy: 1,200 rows × 4 columns, float32)"
    several = tw.open("?.npy")
    assert repr(several) == "Embeddings(?.npy: 2,400 rows × 4 columns, float32 in 2 files)"
    assert tw.open(["a.npy", "b.npy"]).name == "a.npy and 1 more"
    assert as_embeddings(x, "reference").name == "reference"
    assert as_embeddings(several, "reference").name == "?.npy"
    assert tw.open(x).files == ()


@given(x=matrices(), rows=st.integers(1, 25))
def test_any_layout_in_any_batches(x: NDArray[Any], rows: int) -> None:
    embeddings = tw.open(x)
    batches = list(embeddings.batches(rows))
    full, rest = divmod(len(x), rows)
    assert [len(batch) for batch in batches] == [rows] * full + [rest] * (rest > 0)
    assert all(np.shares_memory(batch, x) for batch in batches)
    np.testing.assert_array_equal(np.concatenate(batches), x)
    np.testing.assert_array_equal(embeddings.handle().to_numpy(), x)


@given(data=st.data())
def test_rows_are_taken_in_any_order_from_any_chunks(data: st.DataObject) -> None:
    x = data.draw(matrices())
    whole = array_series(np.ascontiguousarray(x))
    chunks = pl.concat([whole[part] for part in data.draw(chunkings(len(x)))])
    rows = data.draw(st.lists(st.integers(0, len(x) - 1), min_size=1))
    for source in (x, chunks):
        np.testing.assert_array_equal(tw.open(source).take(rows).to_numpy(), x[rows])
    np.testing.assert_array_equal(tw.open(chunks).handle().to_numpy(), x)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any),
    st.integers(1, 50),
)
def test_pieces_are_all_rows_in_order_and_only_short_ones_are_copied(
    lengths: list[int], most: int
) -> None:
    ends = np.cumsum([0, *lengths])
    x = np.arange(ends[-1], dtype=np.float32)[:, None]
    parts = [x[low:high] for low, high in itertools.pairwise(ends)]
    found = list(cut(iter(parts), most, x.dtype))
    assert np.array_equal(np.concatenate(found), x)
    assert all(0 < len(piece) <= most for piece in found)
    fragments = [
        min(most, length - start) for length in lengths for start in range(0, length, most)
    ]
    short = sum(fragment for fragment in fragments if 8 * fragment < most)
    assert sum(len(piece) for piece in found if not np.shares_memory(piece, x)) <= short
