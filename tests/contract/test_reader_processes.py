"""Processes that read files: their death, their memory, their end, and forks of those who ask."""

from __future__ import annotations

import contextlib
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import SourceError
from tailwatch.io import decoding
from tests.support.errors import refused
from tests.support.written_files import values, written

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_death_of_a_reader_is_survived(tmp_path: Path) -> None:
    # More than a pipe holds and the process reads ahead.
    rows = values(50_000, 64)
    path = written(tmp_path, ".arrow", rows)
    opened = tw.open(path)
    batches = opened.batches(100)
    next(batches)
    busy = {process.number for process in decoding._ALL} - set(decoding.processes())
    for number in busy:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGABRT)
    with refused(SourceError, "source", "readable data", "…SIGABRT…", str(path)):
        list(batches)
    assert np.array_equal(opened.to_numpy(), rows)
    # One that died between two files is nobody's fault.
    for number in decoding.processes():
        os.kill(number, signal.SIGKILL)
    time.sleep(0.1)
    assert np.array_equal(opened.to_numpy(), rows)


@pytest.mark.skipif(os.name != "posix", reason="waits on pipes of POSIX")
def test_a_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ".parquet", values(3, 2))
    code = decoding._CODE.partition("from tailwatch")[0] + (
        "from tailwatch.io.decoder import packed; import os, time; "
        "os.write(1, packed({'ready': True})); time.sleep(100)"
    )
    monkeypatch.setattr(decoding, "_CODE", code)
    monkeypatch.setattr(decoding, "PATIENCE_SECONDS", 0.3)
    decoding._end_all()
    with refused(
        SourceError,
        "source",
        "readable data",
        "nothing came of it in 0 s; the file is damaged",
        "…/x.parquet",
    ):
        tw.open(path)
    assert not decoding.processes()


def test_a_python_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ".parquet", values(3, 2))
    decoding._end_all()
    for executable in ("/nowhere/python", ""):
        monkeypatch.setattr(multiprocessing.spawn, "get_executable", lambda at=executable: at)
        got = "…multiprocessing.set_executable(...) names…"
        with refused(SourceError, "source", got=got, where=str(path)):
            tw.open(path)


BOUNDED = """
import numpy as np
from tailwatch.io.decoder import _bound_memory
_bound_memory(1 << 20)
np.ones(100 << 20, np.uint8)
try:
    np.ones(3 << 30, np.uint8)
except MemoryError:
    print("refused")
"""


@linux
def test_memory_of_a_reader_is_bounded_by_the_size_of_the_file() -> None:
    command = [sys.executable, "-c", BOUNDED]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"refused\n"


READING = """
import sys, time
import tailwatch as tw
from tailwatch.io.decoding import processes
tw.open(sys.argv[1])
print(*processes(), flush=True)
while True:
    for batch in tw.open(sys.argv[1]).batches(50):
        pass
"""


@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_readers_end_with_whoever_asks(how: signal.Signals, tmp_path: Path) -> None:
    path = written(tmp_path, ".parquet", values(20_000, 50))
    command = [sys.executable, "-c", READING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        numbers = [int(number) for number in process.stdout.readline().split()]
        assert numbers
        time.sleep(0.3)
        process.send_signal(how)
        process.communicate(timeout=20)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{number}").exists() for number in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".npy", ".npz"])
def test_files_are_read_in_a_forked_child(suffix: str, tmp_path: Path) -> None:
    x = values(500, 4)
    path = written(tmp_path, suffix, x)
    has_keys = suffix in (".parquet", ".arrow")
    opened = tw.open(path, id_column="key" if has_keys else None)
    assert np.array_equal(opened.to_numpy(), x)
    if has_keys:
        assert opened.labels("key")[1] == "k1"
    child = os.fork()
    if not child:
        signal.alarm(60)
        again = tw.open(path, id_column="key" if has_keys else None)
        fine = np.array_equal(again.to_numpy(), x)
        if has_keys:
            fine &= again.labels("key")[1] == "k1" and again.ids is not None
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert np.array_equal(opened.to_numpy(), x)
