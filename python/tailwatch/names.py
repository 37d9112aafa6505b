"""Public names: how they are listed, and what is said of one that is not there."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["meant", "no_such_name"]

_LONGEST = 200


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the question after those names that may have been meant, the hint of an error.

    Parameters
    ----------
    name
        What was given, and is none of the names.
    known
        The names there are.

    Examples
    --------
    >>> from tailwatch.names import meant
    >>> meant("acumulate", ["replace", "accumulate"])
    'did you mean accumulate?'
    """
    lower = name[:_LONGEST].lower()
    names = list(dict.fromkeys(known))
    near = [each for each in names if lower == each.lower() or lower in each.lower().split("_")]
    near = near or get_close_matches(name[:_LONGEST], names, cutoff=0.7)
    if not near:
        plain = {each.lower().replace("_", ""): each for each in reversed(names)}
        found = get_close_matches(lower.replace("_", ""), plain, cutoff=0.7)
        near = [plain[each] for each in found]
    return f"did you mean {' or '.join(near)}?" if near else None


def no_such_name(module: str, name: str, public: Iterable[str]) -> AttributeError:
    """Make the error about a name that a module has not, with those that may have been meant.

    Examples
    --------
    >>> from tailwatch.names import no_such_name
    >>> print(no_such_name("m", "coverage", ["mmd", "tail_coverage"]))
    module 'm' has no attribute 'coverage'; did you mean tail_coverage?
    """
    question = meant(name, public)
    said = f"module {module!r} has no attribute {name!r}"
    return AttributeError(f"{said}; {question}" if question else said, name=name)
