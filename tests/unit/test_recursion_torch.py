"""Learners that draw from torch replay, and torch's generators are as they were afterwards.

What torch does with a device that is not here is played by a module of the same form.
"""

from __future__ import annotations

import importlib
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.recursion import Replace
from tailwatch.recursion.randomness import replayable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
HUMAN = np.random.default_rng(2).normal(size=(140, 2))
GENERATIONS = 3
MEASURED = ("total_variance",)


class Stopped(Exception):
    """The run ends here."""


class OfTorch:
    """Imports torch when it fits, and draws from its generator of the CPU alone."""

    def fit(self, data: NDArray[np.float64], *, rng: np.random.Generator) -> OfTorch:
        torch: Any = importlib.import_module("torch")
        self._scale = data.std() + float(torch.rand(()))
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        torch: Any = importlib.import_module("torch")
        found: NDArray[np.float64] = self._scale * torch.randn(size, 2).double().numpy()
        return found

    def risk(self, data: NDArray[np.float64]) -> NDArray[np.float64]:
        torch: Any = importlib.import_module("torch")
        found: NDArray[np.float64] = torch.rand(len(data)).double().numpy()
        return found


def run_in(
    directory: Path, stop_after: int = GENERATIONS, metrics: Sequence[str] = ()
) -> tw.recursion.Run:
    def stop(generation: tw.recursion.Generation) -> None:
        if generation.number == stop_after:
            raise Stopped

    return tw.recursion.run(
        OfTorch(),
        HUMAN,
        policy=Replace(),
        generations=GENERATIONS,
        size=70,
        metrics=metrics,
        threads=1,
        directory=directory,
        on_generation=stop if stop_after < GENERATIONS else None,
    )


def content(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "times.json"
    }


def test_a_resumed_run_of_torch_ends_with_the_same_bytes(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    torch.manual_seed(11)
    whole = run_in(tmp_path / "whole", metrics=MEASURED)
    assert not np.array_equal(whole.samples(1), whole.samples(2))
    torch.manual_seed(12)
    with pytest.raises(Stopped):
        run_in(tmp_path / "cut", 2, MEASURED)
    torch.randn(5)
    run_in(tmp_path / "cut", metrics=MEASURED)
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


def test_so_does_one_in_a_process_that_has_not_imported_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    run_in(tmp_path / "here")
    code = (
        "import sys; from pathlib import Path; from tests.unit import test_recursion_torch as t; "
        "assert 'torch' not in sys.modules; t.run_in(Path(sys.argv[1])); "
        "assert 'torch' in sys.modules"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "child")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "child") == content(tmp_path / "here")


def test_the_callers_generators_are_as_before(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    torch.manual_seed(3)
    torch.randn(7)
    before = torch.get_rng_state().clone()
    waiting = dict(vars(torch.cuda._lazy_seed_tracker))
    run_in(tmp_path)
    with replayable(0, 1, "fit"):
        torch.randn(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert vars(torch.cuda._lazy_seed_tracker) == waiting


def test_torch_is_left_alone_by_those_who_do_not_use_it() -> None:
    code = (
        "import sys, numpy as np, tailwatch as tw; from tailwatch.recursion import *; "
        "tw.recursion.run(Gaussian(), np.random.default_rng(0).normal(size=(30, 2)), "
        "policy=Replace(), generations=2, metrics=()); "
        "assert 'torch' not in sys.modules, 'imported'; assert len(sys.meta_path) < 9"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Device:
    """Generators of two devices, which are seeded when they are first used, as CUDA's are."""

    def __init__(self, *, used: bool) -> None:
        self._used = False
        self.states = [random.Random(1), random.Random(2)]
        self._lazy_seed_tracker = Tracker()
        if used:
            self.use()

    def is_initialized(self) -> bool:
        return self._used

    def device_count(self) -> int:
        return 2

    def use(self) -> None:
        self._used = True
        for call in self._lazy_seed_tracker.get_calls():
            call[0]()

    def get_rng_state(self, number: int) -> object:
        assert self._used, "a device that nobody uses must not be woken"
        return self.states[number].getstate()

    def set_rng_state(self, state: Any, number: int) -> None:  # noqa: ANN401
        assert self._used
        self.states[number].setstate(state)

    def manual_seed_all(self, seed: int) -> None:
        def call() -> None:
            for each in self.states:
                each.seed(seed)

        if self._used:
            call()
        else:
            self._lazy_seed_tracker.call_order = [(call, [])]

    def seed_all(self) -> None:
        for each in self.states:
            each.seed(None)

    def draw(self) -> float:
        if not self._used:
            self.use()
        return self.states[1].random()


class Tracker:
    def __init__(self) -> None:
        self.call_order: list[tuple[Callable[[], None], list[str]]] = []

    def get_calls(self) -> list[tuple[Callable[[], None], list[str]]]:
        return self.call_order


class Torch:
    """As much of torch as seeding knows of, with one kind of device."""

    def __init__(self, *, used: bool) -> None:
        self.cpu, self.cuda, self._C = random.Random(4), Device(used=used), self
        self.get_rng_state, self.set_rng_state = self.cpu.getstate, self.cpu.setstate

    def _get_privateuse1_backend_name(self) -> str:
        return "privateuseone"

    def manual_seed(self, seed: int) -> None:
        self.cpu.seed(seed)
        self.cuda.manual_seed_all(seed)


@pytest.mark.parametrize("used", [True, False])
def test_devices_are_seeded_and_put_back(monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    drawn = []
    for ahead in (3, 8):
        torch = Torch(used=used)
        monkeypatch.setitem(sys.modules, "torch", torch)
        torch.manual_seed(ahead)
        twin = Torch(used=used)
        twin.manual_seed(ahead)
        with replayable(5, 2, "fit"):
            drawn.append([torch.cpu.random(), torch.cuda.draw(), torch.cuda.draw()])
        # As if nobody else had drawn.
        assert torch.cuda.draw() == twin.cuda.draw()
        assert torch.cpu.random() == twin.cpu.random()
    assert drawn[0] == drawn[1]


def test_a_device_that_nobody_uses_sleeps_on(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = Torch(used=False)
    monkeypatch.setitem(sys.modules, "torch", torch)
    with replayable(5, 2, "fit"):
        torch.cpu.random()
    assert not torch.cuda.is_initialized()
    assert torch.cuda._lazy_seed_tracker.get_calls() == []


def test_a_device_first_used_within_is_random_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    after = []
    for _ in range(2):
        torch = Torch(used=False)
        monkeypatch.setitem(sys.modules, "torch", torch)
        with replayable(5, 2, "fit"):
            torch.cuda.draw()
        after.append(torch.cuda.draw())
    assert after[0] != after[1]


IMPORTED = """
import random
cpu = random.Random()
get_rng_state, set_rng_state, manual_seed = cpu.getstate, cpu.setstate, cpu.seed
class _C:
    _get_privateuse1_backend_name = staticmethod(lambda: "privateuseone")
class cuda:
    is_initialized = staticmethod(lambda: False)
at_import = cpu.getstate()
"""


def test_torch_imported_within_is_seeded_from_then_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text(IMPORTED)
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    drawn = []
    for _ in range(2):
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        importlib.invalidate_caches()
        with replayable(1, 1, "sample"):
            torch: Any = importlib.import_module("torch")
            drawn.append(torch.cpu.random())
        assert torch.get_rng_state() == torch.at_import
        assert type(torch.__spec__.loader).__name__ == "SourceFileLoader"
        assert "exec_module" not in vars(torch.__spec__.loader)
        assert sys.meta_path == finders
    assert drawn[0] == drawn[1]
    monkeypatch.delitem(sys.modules, "torch")


def test_a_torch_that_cannot_be_imported_is_the_learners_affair(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no such library')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    finders = list(sys.meta_path)
    with pytest.raises(ImportError, match="no such library"), replayable(1, 1, "fit"):
        importlib.import_module("torch")
    assert sys.meta_path == finders
