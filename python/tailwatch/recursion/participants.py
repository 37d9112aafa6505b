"""Who takes part in a run: a learner and its models, and a policy, as a user brings them.

==============  ================================================================================
protocol        what the loop calls
==============  ================================================================================
`Learner`       ``fit(data, rng=…)``, once each generation
`Model`         ``sample(size, rng=…)``, once each generation, after the fit
==============  ================================================================================

What a model may offer besides is used where it is there: ``parameters()``, ``risk(data)``,
``embed(data)``, ``measure(reference, samples)`` and ``save(directory)``. Policies have a protocol
of their own (:class:`tailwatch.recursion.Policy`).

Whoever takes part is described as JSON, for a directory is resumed only by those who made it; and
is called such that what it raises passes through unchanged, with a note that says which call it
came of, so that nobody takes it for a defect of tailwatch.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.recursion import data as rows_of
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.recursion.data.kind import Data

__all__ = [
    "Learner",
    "Model",
    "asking",
    "call_that_raised",
    "describe",
    "differences",
    "parameters_of",
    "text_of",
    "words_of",
]


class Learner(Protocol):
    """What learns from data; the same object is fitted generation after generation.

    It should keep nothing from one fit to the next: what it kept would be lost when a run is
    resumed. All that is random may come from `rng`, or from NumPy's or Python's global generator:
    the loop seeds these too while it calls the learner.

    Examples
    --------
    >>> import numpy as np
    >>> class Shrinking:
    ...     def fit(self, data, *, rng):
    ...         self.centre, self.scale = data.mean(0), 0.9 * data.std(0)
    ...         return self
    ...
    ...     def sample(self, size, *, rng):
    ...         return rng.normal(self.centre, self.scale, size=(size, len(self.centre)))
    """

    def fit(self, data: Data, *, rng: np.random.Generator) -> Model:
        """Learn from a training set and return what can be sampled from."""
        ...


class Model(Protocol):
    """What a learner has learnt.

    Optional, and used where it is there:

    - ``parameters() -> dict[str, float]``: become rows of the frame, group "parameter";
    - ``risk(data) -> float`` or one loss per row, as an array: the risk on held-out human data, on
      the training set and on earlier tasks, with an interval where there is a loss per row;
    - ``embed(data) -> array``: embeddings that the panel compares, in place of the data themselves;
    - ``measure(reference, samples) -> polars.DataFrame``: more rows of the frame, with at least
      the columns ``metric`` and ``value``, and any others of it;
    - ``save(directory)``: keeps the model in the run directory. Resuming does not need it.
    """

    def sample(self, size: int, *, rng: np.random.Generator) -> Data:
        """Draw `size` rows, of the kind that the training set is."""
        ...


def describe(value: Any) -> Any:  # noqa: ANN401  (anything a learner may hold)
    """Return what a learner, a policy or one of their parameters is.

    Plain values stand for themselves, functions and classes for their names, data for their
    fingerprint, and objects for their class and public attributes, or what their own ``describe()``
    returns.
    """
    for holds, described in _FORMS:
        if holds(value):
            return described(value)
    return {"class": _path_of(type(value))} | parameters_of(value)


def parameters_of(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the public attributes of an object, described."""
    own = getattr(value, "describe", None)
    if callable(own):
        return dict(describe(own()))
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        held = dict(getattr(value, "__dict__", {}))
    public = {name: each for name, each in held.items() if not name.startswith("_")}
    return {name: describe(each) for name, each in public.items()}


def _of_array(array: np.ndarray) -> Any:  # noqa: ANN401
    if array.dtype.kind == "O":
        return hashlib.sha256(json.dumps(array.tolist(), default=str).encode()).hexdigest()
    return rows_of.describe(array) if array.ndim else array.item()


def _path_of(value: Any) -> str:  # noqa: ANN401
    return f"{value.__module__}.{value.__qualname__}"


_FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    # JSON has no numbers that are not finite.
    (lambda value: isinstance(value, float) and not math.isfinite(value), str),
    (
        lambda value: value is None or isinstance(value, bool | int | float | str),
        lambda value: value,
    ),
    (lambda value: isinstance(value, np.floating), lambda value: describe(float(value))),
    (lambda value: isinstance(value, np.generic), lambda value: describe(value.item())),
    (lambda value: isinstance(value, complex | bytes), repr),
    (lambda value: isinstance(value, Path | Enum), str),
    (lambda value: isinstance(value, np.ndarray), _of_array),
    (
        lambda value: isinstance(value, Mapping),
        lambda value: {str(key): describe(each) for key, each in value.items()},
    ),
    (lambda value: isinstance(value, list | tuple), lambda value: list(map(describe, value))),
    (lambda value: isinstance(value, set | frozenset), lambda value: sorted(map(str, value))),
    (lambda value: isinstance(value, type) or hasattr(value, "__code__"), _path_of),
    (lambda value: any(kind.holds(value) for kind in rows_of.KINDS), rows_of.describe),
)
"""What a value may be, in the order in which it is asked, and what then stands for it."""


def text_of(policy: object) -> str:
    """Return the text of a policy, of a user's own too: its ``text``, or name and numbers.

    Examples
    --------
    >>> from tailwatch.recursion import Mix
    >>> from tailwatch.recursion.participants import text_of
    >>> text_of(Mix(0.25))
    'mix:0.25'
    """
    own = getattr(policy, "text", None)
    if isinstance(own, str) and own:
        return own
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z_]+", type(policy).__name__)
    name = "_".join(word.lower() for word in words)
    inner = getattr(policy, "policy", None)
    if callable(getattr(inner, "compose", None)):
        return f"{name}:{text_of(inner)}"
    fields = parameters_of(policy)
    parts = [
        field if value is True else str(value)
        for field, value in fields.items()
        if value is True or (isinstance(value, int | float) and not isinstance(value, bool))
    ]
    return f"{name}:{','.join(parts)}" if parts else name


def words_of(policy: object) -> str:
    """Return what a policy does, in words; nothing for one of a user's own that brings none."""
    own = getattr(policy, "words", None)
    return own if isinstance(own, str) else ""


def differences(there: Any, here: Any, where: str = "") -> list[str]:  # noqa: ANN401
    """Name what two documents differ in: ``policy.real_fraction: 0.25 there, 0.5 here``."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [
            difference
            for key in [*there, *(key for key in here if key not in there)]
            for difference in differences(
                there.get(key, "nothing"), here.get(key, "nothing"), f"{where}.{key}".lstrip(".")
            )
        ]
    if there == here and type(there) is type(here):
        return []
    return [f"{where}: {there!r} there, {here!r} here"]


NOTE = "raised by a call of "


@contextmanager
def asking(part: object, call: str, where: str | None = None) -> Iterator[None]:
    """Note on what the block raises that it came of calling `part`.

    Parameters
    ----------
    part
        What is called; of the parts that ship with tailwatch nothing is noted.
    call
        Its name and method, such as ``learner.fit``.
    where
        When, such as the generation.

    Raises
    ------
    InputError
        The block called ``sys.exit``.
    """
    try:
        yield
    except SystemExit as error:
        raise InputError(
            argument=call,
            expected="a result",
            got=f"sys.exit({shown(error.code)})",
            where=where,
            hint="raise an error instead",
        ) from error
    except TailwatchError:
        raise
    except Exception as error:
        if not type(part).__module__.startswith("tailwatch."):
            error.add_note(f"{NOTE}{call}{f', {where}' if where else ''}")
        raise


def call_that_raised(error: BaseException) -> str | None:
    """Name the call of the user's own that an error came of, if it did."""
    notes: list[str] = getattr(error, "__notes__", [])
    found = next((note for note in notes if note.startswith(NOTE)), None)
    return None if found is None else found.removeprefix(NOTE)
