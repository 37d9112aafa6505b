"""What a command line or a file says of a loop: learners, policies, data, settings.

A policy has a text of its own: ``mix:0.25`` (:mod:`tailwatch.recursion.policies`). A learner, and
a policy of the user's own, is written as Python writes a call with literal arguments: ``Gaussian``,
``GaussianMixture(k=10)``, ``my_module:MyLearner(depth=3)``. No expression is evaluated, and what is
called is a class of learners or policies alone; but the module is imported, and importing runs it,
so a file of settings is trusted as far as the code beside it.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import traceback
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.cli.wording import in_options
from tailwatch.exceptions import InputError, SourceError, TailwatchError, meant
from tailwatch.text_form import path_text, shown, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.policies import Policy

__all__ = ["LEARNERS", "blaming", "data_from", "part_from", "policy_named", "settings_from"]

LEARNERS = (
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "KernelDensity",
    "LinearRegression",
    "Multinomial",
    "NGram",
)
METHODS = {"--learner": "fit", "--policy": "compose"}
LONGEST = 1000
"""Characters of a call: the parser of Python recurses."""


def part_from(text: str, option: str, shipped: Sequence[str]) -> Any:  # noqa: ANN401
    """Make a learner or a policy of what the user wrote.

    Parameters
    ----------
    text
        A name out of `shipped`, or ``module:attribute``, with arguments in parentheses or none.
    option
        ``--learner`` or ``--policy``: it opens every message, and says what the part has to have.
    shipped
        Names in :mod:`tailwatch.recursion`; letters may be small.

    Raises
    ------
    InputError
        No such name, arguments that are no literals, or that it does not take; a module that cannot
        be imported, or in which there is no learner or policy of that name.
    """
    module, colon, rest = text.rpartition(":") if text.isprintable() else ("", "", text)
    if "(" in module:
        # A colon within the arguments.
        module, colon, rest = text.partition(":")
    name, places, keywords = _call(rest, option)
    made = _imported(module, name, option) if colon else _shipped(name, option, shipped)
    method = METHODS[option]
    if not callable(getattr(made, method, None)):
        raise InputError(
            argument=option,
            expected=f"a class or an object with the method {method}",
            got=f"{shown(text)}, which is {_kind(made)}",
        )
    if not isinstance(made, type):
        if places or keywords:
            expected = f"{name} without arguments, which is an object already"
            raise InputError(argument=option, expected=expected, got=shown(text))
        return made
    try:
        with _of_the_user(option, f"{name}(…)") if colon else _as_it_is():
            return made(*places, **keywords)
    except TypeError as error:
        raise InputError(
            argument=option,
            expected=f"arguments that {name} takes",
            got=shown(text),
            where=f"{error}",
        ) from error


def policy_named(text: str, option: str = "--policy") -> Policy:
    """Make a policy of its text, or of the ``module:attribute`` of one of the user's own.

    Raises
    ------
    InputError
        Neither, or a policy that does not take what stands behind its name.
    """
    from tailwatch.recursion.policy_text import POLICIES, policy_from

    name, colon, rest = text.strip().partition(":")
    if name in POLICIES:
        return policy_from(text, option)
    if colon and rest[:1].isidentifier():
        made: Policy = part_from(text, option, ())
        return made
    try:
        return policy_from(text, option)
    except InputError as error:
        expected = f"{error.expected}, or module:attribute"
        raise InputError(
            argument=option, expected=expected, got=error.got, hint=error.hint
        ) from error


def _kind(made: object) -> str:
    return f"the class {made.__name__}" if isinstance(made, type) else f"a {type(made).__name__}"


def _call(text: str, option: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Read a name and its literal arguments."""
    refusal = InputError(
        argument=option,
        expected="a name such as Gaussian or GaussianMixture(k=10), with literal arguments",
        got=shown(text),
    )
    if len(text) > LONGEST:
        raise refusal
    try:
        found = ast.parse(text.strip(), mode="eval").body
        called = found if isinstance(found, ast.Call) else ast.Call(found, [], [])
        name = ast.unparse(called.func)
        places = [ast.literal_eval(each) for each in called.args]
        keywords = {str(each.arg): ast.literal_eval(each.value) for each in called.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise refusal from error
    if not all(part.isidentifier() for part in name.split(".")):
        raise refusal
    return name, places, keywords


def _shipped(name: str, option: str, shipped: Sequence[str]) -> Any:  # noqa: ANN401
    from tailwatch import recursion

    plain = name.lower().replace("_", "")
    found = next((each for each in shipped if each.lower() == plain), None)
    if found is None:
        expected = f"one of {', '.join(shipped)}, or module:attribute"
        raise InputError(
            argument=option, expected=expected, got=shown(name), hint=meant(name, shipped)
        )
    return getattr(recursion, found)


def _imported(module: str, name: str, option: str) -> Any:  # noqa: ANN401
    if not all(part.isidentifier() for part in module.split(".")):
        expected = "module:attribute, the name of a module and of something in it"
        raise InputError(argument=option, expected=expected, got=shown(f"{module}:{name}"))
    # The console script starts elsewhere; users keep their learners beside their data. The folder
    # comes last: a file in it must not take the place of what anything else imports.
    here = str(Path.cwd())
    if here not in sys.path:
        _refuse_shadowed(module.partition(".")[0], here, option)
        sys.path.append(here)
    try:
        with _of_the_user(option, f"the import of {module}"):
            found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(
            problem=f"cannot import {name} from {module} ({visible(str(error))})",
            argument=option,
            expected="what can be imported",
            got=visible(str(error)),
            where=f"{module}:{name}",
        ) from error
    return found


def _refuse_shadowed(module: str, here: str, option: str) -> None:
    """Refuse a module of the folder that the import would find elsewhere."""
    mine = PathFinder.find_spec(module, [here])
    other = importlib.util.find_spec(module) if mine is not None and mine.origin else None
    if mine is not None and other is not None and other.origin != mine.origin:
        raise InputError(
            problem=f"{module} is both {mine.origin} and another module ({other.origin})",
            argument=option,
            expected="a module whose name is not taken",
            got=f"{module}, which is {other.origin} too",
            where=mine.origin,
            hint="give the file another name",
        )


@contextmanager
def blaming() -> Iterator[None]:
    """Show what a learner or policy of the user's own raises as theirs, with its traceback.

    Raises
    ------
    InputError
        A call of theirs raised an error.
    """
    from tailwatch.recursion.participants import call_that_raised

    try:
        yield
    except Exception as error:
        call = call_that_raised(error)
        if call is None:
            raise
        traceback.print_exc()
        said = f"{type(error).__name__}: {visible(str(error))}"
        option = "--policy" if call.startswith("policy") else "--learner"
        raise InputError(
            problem=f"{call} raised {said}",
            argument=option,
            expected=f"{call} without an error",
            got=said,
        ) from error


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _of_the_user(option: str, what: str) -> Iterator[None]:
    """Say of what a user's own code raises that it is theirs, with its traceback."""
    try:
        yield
    except (TailwatchError, ImportError, TypeError):
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise InputError(
            problem=f"{what} raised {type(error).__name__}: {visible(str(error))}",
            argument=option,
            expected=f"{what} without an error",
            got=f"{type(error).__name__}: {visible(str(error))}",
        ) from error


def settings_from(path: Path) -> dict[str, Any]:
    """Read the settings of a loop from a .toml or .yaml file."""
    from tailwatch.io.settings_text import parse_toml, parse_yaml, read_text

    suffix, where = path.suffix.lower(), path_text(path)
    if suffix not in {".toml", ".yaml", ".yml"}:
        expected = "a .toml, .yaml or .yml file"
        raise InputError(argument="CONFIG", expected=expected, got=where)
    text = read_text(path, "CONFIG")
    if suffix == ".toml":
        found: Any = parse_toml(text, "CONFIG", where)
    else:
        found = parse_yaml(text, "CONFIG", where, unique=True)
    if not isinstance(found, dict) or not found:
        got = "nothing" if not found else type(found).__name__
        raise SourceError(
            argument="CONFIG", expected="names and values", got=got, where=f"in {where}"
        )
    return found


def data_from(source: str, option: str, column: str | None, binary: str | None = None) -> Data:
    """Read human data: what every command takes, and numbers, categories and documents besides.

    See :mod:`tailwatch.recursion.data.sources`.
    """
    from tailwatch.recursion.data.sources import WITHOUT_COLUMNS, read_data

    if option != "--data" and Path(source).suffix.lower() in WITHOUT_COLUMNS:
        # The column is that of the data, beside which this may be a file of another kind.
        column = None
    with in_options():
        return read_data(source, option, column=column, binary=binary)
