"""Random numbers by (seed, generation, purpose).

Each purpose of each generation has a generator of its own, so that a generation can be computed
again from what is on disk, and no purpose takes numbers from another:

===============  ===============================================================================
purpose          what it draws
===============  ===============================================================================
``"holdout"``    which rows of `data` no generation trains on (generation 0)
``"order"``      in which order human rows are handed out by ``Mix`` and ``Augment``
                 (generation 0)
``"panel"``      halves of categories, rows that copies are looked for in (generation 0)
``"policy"``     rows of the training set of this generation, generations 2 and up
``"fit"``        whatever the learner draws in ``fit``
``"sample"``     whatever the model draws in ``sample``
``"measure"``    whatever the model draws in ``embed``, ``risk`` and ``measure``
===============  ===============================================================================

A generator is ``PCG64(SeedSequence([seed, generation, *words]))``, with the SHA-256 of
``tailwatch.recursion:`` and the purpose as eight little-endian words of 32 bits.

NumPy's and Python's global generators are seeded for each call too, and put back, and so are
torch's. Torch is never imported here. Where it is there already its generators are seeded at once;
where a learner imports it within the block, they are seeded when that import is done. Afterwards
every generator is as it was before, or as the import left it. A device that is not in use is not
woken: its modules keep a seed until they are, and that seed is put back too. If a learner was the
first to use the device, its generators get the seed that was waiting for them, or a random one, as
they would have without the learner.
"""

from __future__ import annotations

import hashlib
import importlib.util
import random
import sys
from contextlib import contextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["generator", "replayable", "torch_seeded"]


def generator(seed: int, generation: int, purpose: str) -> np.random.Generator:
    """Make the generator of a purpose in a generation.

    Examples
    --------
    >>> from tailwatch.recursion.randomness import generator
    >>> generator(0, 3, "fit").random() == generator(0, 3, "fit").random()
    True
    >>> generator(0, 3, "fit").random() == generator(0, 3, "sample").random()
    False
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, generation, purpose)))


@contextmanager
def replayable(seed: int, generation: int, purpose: str) -> Iterator[np.random.Generator]:
    """Make the generator, and seed the global ones until the block is left.

    These are those of NumPy, of Python and, where it is imported by then, of torch. A learner that
    calls ``np.random.normal`` or ``torch.randn``, or an estimator of scikit-learn without a
    ``random_state``, draws from the global generators and yet replays; whoever else uses them
    finds them as they were.
    """
    sequence = _sequence(seed, generation, purpose)
    legacy = np.random.get_state()  # noqa: NPY002  (what a learner may be using)
    plain = random.getstate()
    words = sequence.spawn(1)[0].generate_state(4)
    np.random.seed(words)  # noqa: NPY002
    random.seed(int(words[0]) << 32 | int(words[1]))
    try:
        with torch_seeded(int(words[2]) << 32 | int(words[3])):
            yield np.random.Generator(np.random.PCG64(sequence))
    finally:
        np.random.set_state(legacy)  # noqa: NPY002
        random.setstate(plain)


def _sequence(seed: int, generation: int, purpose: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, generation, *_words(purpose)])


@cache
def _words(purpose: str) -> tuple[int, ...]:
    digest = hashlib.sha256(f"tailwatch.recursion:{purpose}".encode()).digest()
    return tuple(int.from_bytes(digest[at : at + 4], "little") for at in range(0, 32, 4))


DEVICES = ("cuda", "xpu", "mps", "mtia")


@contextmanager
def torch_seeded(seed: int) -> Iterator[None]:
    """Seed torch's generators, of the CPU and of all devices, until the block is left.

    Parameters
    ----------
    seed
        Below 2⁶⁴.
    """
    put_back: list[Callable[[], None]] = []

    def begin(torch: ModuleType) -> None:
        put_back.extend(_saved(torch))
        _seed(torch, seed)

    hook = _WhenImported("torch", begin)
    there = sys.modules.get("torch")
    if there is None:
        sys.meta_path.insert(0, hook)
    else:
        begin(there)
    try:
        yield
    finally:
        hook.remove()
        for restore in reversed(put_back):
            restore()


def _seed(torch: Any, seed: int) -> None:  # noqa: ANN401  (a module)
    """Seed the CPU's generator, and where there are devices theirs.

    To leave a seed for devices torch formats the whole stack of calls, which takes longer than a
    generation of a small learner.
    """
    accelerator = getattr(torch, "accelerator", None)
    if accelerator is None or accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def _saved(torch: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  (a module)
    """Return what restores each of torch's generators to what they are now."""
    state = torch.get_rng_state()
    yield lambda: torch.set_rng_state(state)
    for name in (*DEVICES, torch._C._get_privateuse1_backend_name()):  # noqa: SLF001
        device: Any = getattr(torch, name, None)
        if device is not None and not _in_bad_fork(device):
            if _is_in_use(torch, name, device):
                yield _of_used(device)
            elif hasattr(device, "_lazy_seed_tracker"):
                yield _of_unused(device)


def _is_in_use(torch: Any, name: str, device: Any) -> bool:  # noqa: ANN401
    if name == "mps":
        return bool(torch.backends.mps.is_available())
    if not hasattr(device, "get_rng_state"):
        return False
    is_ready = getattr(device, "is_initialized", None) or device.is_available
    return bool(is_ready())


def _in_bad_fork(device: Any) -> bool:  # noqa: ANN401
    """Return whether this process was forked from one that used the device, and so cannot."""
    return bool(getattr(device, "_is_in_bad_fork", lambda: False)())


def _of_used(device: Any) -> Callable[[], None]:  # noqa: ANN401
    states = [device.get_rng_state(number) for number in range(device.device_count())]

    def restore() -> None:
        for number, state in enumerate(states):
            device.set_rng_state(state, number)

    return restore


def _of_unused(device: Any) -> Callable[[], None]:  # noqa: ANN401
    tracker = device._lazy_seed_tracker  # noqa: SLF001  (there is no public way to it)
    waiting = dict(vars(tracker))
    calls = [call for call in tracker.get_calls() if call]

    def restore() -> None:
        vars(tracker).update(waiting)
        if not device.is_initialized():
            return
        for call, _ in calls:
            call()
        if not calls:
            device.seed_all()

    return restore


class _WhenImported(MetaPathFinder):
    """Calls `then` with a module once it has been imported, the first time that it is."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name, self._then = name, then

    def remove(self) -> None:
        """Look out no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Let others find the module, and follow its execution."""
        if fullname != self._name:
            return None
        self.remove()
        spec = importlib.util.find_spec(fullname)
        loader: Any = None if spec is None else spec.loader
        if not hasattr(loader, "exec_module"):
            return spec

        def execute(module: ModuleType) -> None:
            # The loader is the module's own, and others find it as it was.
            del loader.exec_module
            loader.exec_module(module)
            self._then(module)

        loader.exec_module = execute
        return spec
