"""Policies as text: ``mix:0.25,fresh`` is read here, and written by the policies themselves.

A name, and behind a colon what the policy takes, joined by commas: numbers in the order of its
parameters, and marks, each the name of one that is true. :mod:`tailwatch.recursion.policies` has
the table of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, meant
from tailwatch.recursion.policies import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    HumanOnly,
    Mix,
    Replace,
)
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from tailwatch.recursion.policies import Policy

__all__ = ["FORMS", "POLICIES", "as_policy", "is_shipped", "policy_from"]

MOST_DIGITS = 18
"""Of a number of rows: nobody has as many as more digits say."""

POLICIES = {
    kind.forms[0].partition(":")[0]: kind
    for kind in (Replace, Mix, Accumulate, AccumulateSubsample, Augment, HumanOnly)
}
"""The policies that a text can name, by the name that it begins with."""

FORMS = tuple(form for kind in POLICIES.values() for form in kind.forms)
"""What such a text looks like."""


def policy_from(text: str, argument: str = "policy") -> Policy:
    """Read a policy from its text.

    Parameters
    ----------
    text
        A name of :data:`POLICIES`; behind a colon its numbers and marks, joined by commas.
    argument
        Name of the argument or option, for messages.

    Raises
    ------
    InputError
        No such policy, or one that does not take what stands behind the colon.

    Examples
    --------
    >>> from tailwatch.recursion.policy_text import policy_from
    >>> policy_from("mix:0.25,fresh")
    Mix(real_fraction=0.25, fresh=True)
    """
    name, colon, rest = text.strip().partition(":")
    kind = POLICIES.get(name)
    if kind is None:
        near = meant(re.split(r"\W", name, maxsplit=1)[0], POLICIES)
        raise InputError(
            argument=argument, expected=f"one of {' | '.join(FORMS)}", got=shown(text), hint=near
        )
    refusal = InputError(argument=argument, expected=" or ".join(kind.forms), got=shown(text))
    numbers: list[Any] = []
    marks: dict[str, bool] = {}
    for part in rest.split(",") if colon else ():
        if part.isidentifier():
            marks[part] = True
        elif part.isascii() and part.isdigit() and len(part) <= MOST_DIGITS:
            numbers.append(int(part))
        else:
            try:
                numbers.append(float(part))
            except ValueError:
                raise refusal from None
    try:
        return kind(*numbers, **marks)
    except TypeError:
        raise refusal from None
    except InputError as error:
        refusal = InputError(
            argument=argument,
            expected=f"{' or '.join(kind.forms)}, with {error.expected}",
            got=shown(text),
        )
        raise refusal from error


def is_shipped(policy: Policy) -> bool:
    """Return whether a policy is one of those that a text names, and so can be made again of it."""
    return type(policy) in POLICIES.values()


def as_policy(policy: Policy | str) -> Policy:
    """Return a policy that was given as one or as its text.

    Raises
    ------
    InputError
        Another object, or a text that names no policy.
    """
    if isinstance(policy, str):
        return policy_from(policy)
    if isinstance(policy, type) or not callable(getattr(policy, "compose", None)):
        named = f"the class {policy.__name__}" if isinstance(policy, type) else None
        raise InputError(
            argument="policy",
            expected="a text such as 'mix:0.25', or an object with the method compose",
            got=named or type(policy).__name__,
        )
    return policy
