"""Every error of tailwatch says which argument it is about, and travels between processes."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path

import pytest

import tailwatch.exceptions as tree
from tailwatch.exceptions import (
    DimensionError,
    InputError,
    MissingDependencyError,
    NonFiniteError,
    OutputError,
    ShardError,
    SourceError,
    TailwatchError,
)

PACKAGE = Path(tree.__file__).parent
ERRORS = [getattr(tree, name) for name in tree.__all__ if name.endswith("Error")]
NAMES = {error.__name__ for error in ERRORS}

FULL = {
    "argument": "k",
    "expected": "an integer of at least 1",
    "got": "0",
    "where": "row 3 of a.npy",
    "hint": "count from 1",
}
WHOLE = "k: expected an integer of at least 1, got 0 (row 3 of a.npy); count from 1"

TEXTS = [
    (TailwatchError("the process was forked"), "the process was forked"),
    (InputError(**FULL), WHOLE),
    (InputError(argument="k", expected="an integer", got="'1'"), "k: expected an integer, got '1'"),
    (InputError(argument="k", expected="an integer"), "k: expected an integer"),
    (DimensionError(argument="x", got="a cube", where="file 2"), "x: got a cube (file 2)"),
    (NonFiniteError("NaN in row 3", argument="x", hint="drop it"), "x: NaN in row 3; drop it"),
    (SourceError("cannot be read", **FULL), "k: cannot be read; count from 1"),
    (OutputError(argument="a.html", expected="a file", got="a FIFO"), None),
    (MissingDependencyError("not installed", argument="yaml", hint="pip install it"), None),
    (ShardError("1 of 3 shards failed", argument="source"), "source: 1 of 3 shards failed"),
]


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_the_text_is_made_of_the_fields(place: int) -> None:
    error, text = TEXTS[place]
    if text is not None:
        assert str(error) == text


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_all_fields_travel_between_processes(kind: type[TailwatchError], protocol: int) -> None:
    for problem in (None, "all is lost"):
        error = kind(problem, **FULL)
        error.add_note("of the caller")
        for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
            assert type(again) is kind
            assert str(again) == str(error)
            assert again.fields == FULL
            assert again.problem == problem
            assert again.__notes__ == ["of the caller"]


def test_the_report_of_a_shard_error_travels() -> None:
    error = ShardError("1 of 3 shards failed", {"rows": 3}, argument="source")
    again = pickle.loads(pickle.dumps(error))
    assert (again.report, str(again)) == ({"rows": 3}, str(error))


@pytest.mark.parametrize("field", ["problem", *FULL])
def test_a_field_is_one_short_line_that_can_be_shown(field: str) -> None:
    error = InputError(**{field: "\x1b[31m" + "loud\n\0\u202e" * 100_000})
    text = str(error)
    assert len(text) < 1500
    assert text.isprintable()
    assert r"\x1b[31mloud" in text


def test_an_error_of_output_is_not_put_as_the_systems_are() -> None:
    error = OutputError("x", argument="a")
    error.errno, error.filename = 28, "b"
    assert str(error) == "a: x"


def test_a_usual_path_is_whole() -> None:
    path = f"/data/{'a' * 255}/{'b' * 100}.parquet"
    assert path in str(SourceError(argument=path, expected="a file", got="nothing"))


# What is missing or failed there is a library, and no argument of the caller's.
LIBRARIES = {"yolo/extra.py", "yolo/session.py"}


def raised(source: str) -> list[tuple[int, ast.Call]]:
    """Every place where a source makes an error of tailwatch."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        (call.lineno, call)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in NAMES
    ]


def says_what_about(call: ast.Call) -> bool:
    """Tell whether an error names its argument, by itself or in fields that are handed on."""
    return any(keyword.arg in {"argument", None} for keyword in call.keywords)


def test_the_rule_sees_what_it_should() -> None:
    calls = raised("raise InputError('x: bad')\nraise InputError(argument='x')\nInputError(**f)")
    assert [says_what_about(call) for _, call in calls] == [False, True, True]


def test_every_error_names_its_argument() -> None:
    bare = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in LIBRARIES
        for line, call in raised(path.read_text(encoding="utf-8"))
        if not says_what_about(call)
    ]
    assert not bare, f"{len(bare)} errors have a text alone: {', '.join(bare)}"


def hides_facts(call: ast.Call) -> bool:
    """Tell whether a text of its own stands where a field should say what came."""
    named = {keyword.arg for keyword in call.keywords}
    has_text = bool(call.args) or "problem" in named
    return has_text and None not in named and not {"expected", "got"} <= named


def test_a_text_of_its_own_leaves_no_field_out() -> None:
    calls = raised("InputError('x')\nInputError('x', expected='y', got='z')\nInputError(got='z')")
    assert [hides_facts(call) for _, call in calls] == [True, False, False]
    hidden = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, call in raised(path.read_text(encoding="utf-8"))
        if hides_facts(call)
    ]
    assert not hidden, f"{len(hidden)} errors have facts in their text alone: {', '.join(hidden)}"


# Where texts are what is tested.
TABLES = {"unit/test_error_texts.py", "unit/test_error_fields.py", "yolo/test_yolo_error_texts.py"}


def _is_ours(kind: ast.expr) -> bool:
    """Tell whether an expected exception is, or may be, an error of tailwatch."""
    if isinstance(kind, ast.Tuple):
        return any(_is_ours(each) for each in kind.elts)
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
    # A name in small letters is an argument of the test.
    return name in NAMES or name.islower()


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    """Every call of a function or method with this name."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [
        call
        for call in found
        if name == (call.func.attr if isinstance(call.func, ast.Attribute) else "")
        or (isinstance(call.func, ast.Name) and call.func.id == name)
    ]


def wordings(source: str) -> list[int]:
    """Lines of a test module that assert the wording of an error of tailwatch."""
    tree = ast.parse(source)
    raises = [call for call in _calls(tree, "raises") if call.args and _is_ours(call.args[0])]
    lines = [call.lineno for call in raises if any(word.arg == "match" for word in call.keywords)]
    ours = {*raises, *_calls(tree, "refused")}
    items = [
        item
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if item.context_expr in ours
    ]
    caught = {item.optional_vars.id for item in items if isinstance(item.optional_vars, ast.Name)}
    texts = [f"str({name}.value)" for name in caught]
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.In):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_test = node.func.attr in {"startswith", "endswith"}
            sides = [ast.unparse(node.func.value)] if is_test else []
        else:
            continue
        lines += [node.lineno for side in sides if any(text in side for text in texts)]
    return lines


def test_the_rule_of_wordings_sees_what_it_should() -> None:
    block = "with pytest.raises({}) as caught:\n    f()\n{}\n"
    plain = block.format("InputError", "assert {}")
    for said in ("str(caught.value) == 'x'", "'x' in str(caught.value)"):
        assert wordings(plain.format(said)) == [3]
    assert wordings(plain.format("str(caught.value).startswith('x')")) == [3]
    assert wordings(plain.format("'\\n' not in str(caught.value)")) == []
    assert wordings(block.format("tw.exceptions.InputError, match='x'", "")) == [1]
    assert wordings(block.format("error, match='x'", "")) == [1]
    assert wordings(block.format("ValueError, match='x'", "assert str(caught.value) == 'x'")) == []


def test_wording_is_asserted_in_one_table() -> None:
    tests = Path(__file__).parents[1]
    found = [
        f"{path.relative_to(tests)}:{line}"
        for path in sorted(tests.rglob("*.py"))
        if path.relative_to(tests).as_posix() not in TABLES
        for line in wordings(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"assert fields, not wording (tests/support/errors.py): {', '.join(found)}"
