"""Torch's generators: seeded for a while, and put back.

Torch is never imported here. Where it is there already its generators are seeded at once; where a
learner imports it within the block, they are seeded when that import is done. Afterwards every
generator is as it was before, or as the import left it.

A device that is not in use is not woken: its modules keep a seed until they are, and that seed is
put back too. If a learner was the first to use the device, its generators get the seed that was
waiting for them, or a random one, as they would have without the learner.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["torch_seeded"]

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
    """Give what restores each of torch's generators to what they are now."""
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
    """Say whether this process was forked from one that used the device, and so cannot."""
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
