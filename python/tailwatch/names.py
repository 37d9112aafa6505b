"""Public names of a module: how they are listed, and what is said of one that is not there."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["no_such_name"]


def no_such_name(module: str, name: str, public: Sequence[str]) -> AttributeError:
    """Make the error about a name that a module has not, with those that may have been meant.

    Examples
    --------
    >>> from tailwatch.names import no_such_name
    >>> print(no_such_name("m", "coverage", ["mmd", "tail_coverage"]))
    module 'm' has no attribute 'coverage'; did you mean tail_coverage?
    """
    lower = name.lower()
    near = [each for each in public if lower in each.lower().split("_")]
    near = near or get_close_matches(name, public, cutoff=0.7)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}{meant}", name=name)
