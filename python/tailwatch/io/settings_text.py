"""Text that people write settings in, YAML and TOML, read within bounds.

Both are languages in which a few bytes can ask for a great deal: aliases of YAML that multiply,
brackets thousands deep, numbers of a million digits. So size, depth, aliases and the length of a
plain scalar are bounded before any value is made, and all that is wrong with a file is one error.

=====================  =========================================================================
bound                  what it holds off
=====================  =========================================================================
512 KiB of text        parsers that are linear in principle
32 levels              recursion in parsers, and in whoever walks the values
50,000 values, each    aliases that name aliases; an alias counts as all that it stands for, and
alias as a copy        one within what it names is refused
4,096 characters of a  integers of many digits, and sexagesimal ones, which take quadratic time
plain scalar
=====================  =========================================================================
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import MissingDependencyError, SourceError, TailwatchError
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["MOST_BYTES", "parse_toml", "parse_yaml", "read_text"]

MOST_BYTES = 2**19
MOST_LEVELS = 32
MOST_VALUES = 50_000
LONGEST_PLAIN = 4096
MOST_STEPS = 20_000_000
"""Of the parser of TOML, for which a key of n parts takes n² of them."""
TEXT_STYLES = ("'", '"', "|", ">")


def read_text(path: Path, argument: str) -> str:
    """Read a text file of at most 512 KiB.

    Parameters
    ----------
    path
        A regular file in UTF-8, with or without a byte-order mark; a link is followed.
    argument
        Argument that named the file: it opens every message.

    Raises
    ------
    SourceError
        There is no such file, it is none (a device, a pipe), it is larger, or no UTF-8.
    """
    try:
        # A pipe without a writer would hold the call for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:  # noqa: PTH123  (of a descriptor)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceError(
                    argument=argument,
                    expected="a regular file",
                    got="a pipe or a device",
                    where=path_text(path),
                )
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise SourceError(
                argument=argument,
                expected=f"at most {MOST_BYTES:,} bytes of text",
                got=f"{os.stat(path).st_size:,}",  # noqa: PTH116
                where=path_text(path),
            )
        return content.decode("utf-8-sig")
    except TailwatchError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(argument, str(path), error) from error


def parse_yaml(text: str, argument: str, where: str, *, unique: bool = False) -> Any:  # noqa: ANN401
    """Make values of one YAML document, of plain types alone.

    Parameters
    ----------
    text
        The document.
    argument
        Argument that named the file: it opens every message.
    where
        The file.
    unique
        Whether a key that a mapping has twice is an error; otherwise the last one counts.

    Raises
    ------
    MissingDependencyError
        PyYAML is not installed.
    SourceError
        No YAML, tags of other types, or beyond the bounds.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError.of_extra(
            extra="yaml", argument=argument, expected="PyYAML, which reads YAML", where=where
        ) from error
    # The loader in C is ten times as fast, where it was built.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def parse() -> Any:  # noqa: ANN401
        _check_size(text)
        bounds = _Bounds(yaml, unique=unique)
        for event in yaml.parse(text, Loader=loader):
            bounds.check(event)
        return yaml.load(text, Loader=loader)  # noqa: S506  (a safe loader)

    return _parsed(parse, argument, where)


def parse_toml(text: str, argument: str, where: str) -> dict[str, Any]:
    """Make values of a TOML document.

    Parameters
    ----------
    text, argument, where
        As :func:`parse_yaml` takes them.

    Raises
    ------
    SourceError
        No TOML, or beyond the bounds.
    """
    import tomllib

    def parse() -> dict[str, Any]:
        _check_size(text)
        # Keys with dots nest, too.
        if sum(line.count(".") ** 2 for line in text.splitlines()) > MOST_STEPS:
            raise _BoundError(
                expected=f"at most {MOST_LEVELS} levels", got="keys of more parts than that"
            )
        found = tomllib.loads(text)
        _check_depth(found)
        return found

    found: dict[str, Any] = _parsed(parse, argument, where)
    return found


class _BoundError(Exception):
    """What was expected of a text, and what came."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.expected, self.got = expected, got


def _parsed(parse: Callable[[], Any], argument: str, where: str) -> Any:  # noqa: ANN401
    """Parse, and turn whatever a parser raises into one error."""
    try:
        return parse()
    except _BoundError as error:
        raise SourceError(
            argument=argument, expected=error.expected, got=error.got, where=where
        ) from None
    except Exception as error:
        # Constructors raise KeyError, IndexError, AttributeError of scalars under a foreign tag.
        raise _unreadable(argument, where, error) from error


def _unreadable(argument: str, where: str, error: Exception) -> SourceError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    said = " ".join(reason.split())[:300] or type(error).__name__
    return SourceError(
        f"cannot read {where} ({said})",
        argument=argument,
        expected="a file that can be read",
        got=said,
        where=where,
    )


def _check_size(text: str) -> None:
    if len(text) > MOST_BYTES:
        raise _BoundError(expected=f"at most {MOST_BYTES:,} characters", got=f"{len(text):,}")


def _check_depth(value: Any, level: int = 0) -> None:  # noqa: ANN401
    if level > MOST_LEVELS:
        raise _BoundError(expected=f"at most {MOST_LEVELS} levels", got="more")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_depth(each, level + 1)


@dataclass(slots=True)
class _Node:
    """A mapping or a sequence that has not ended.

    `before` is how many values there were, `keys` are those of a mapping so far, and `key_next`
    says whether one comes next.
    """

    anchor: str | None
    before: int
    is_mapping: bool
    keys: set[str] = field(default_factory=set)
    key_next: bool = True


class _Bounds:
    """Holds a YAML document against the bounds, as its parser comes upon it.

    Parameters
    ----------
    yaml
        PyYAML.
    unique
        Whether a mapping may have no key twice.
    """

    def __init__(self, yaml: Any, *, unique: bool) -> None:  # noqa: ANN401
        self._yaml, self._unique = yaml, unique
        self._values = 0
        self._sizes: dict[str, int] = {}
        self._open: list[_Node] = []

    def check(self, event: Any) -> None:  # noqa: ANN401
        """Take the next event of the parser."""
        yaml = self._yaml
        if isinstance(event, yaml.CollectionEndEvent):
            node = self._open.pop()
            if node.anchor is not None:
                self._sizes[node.anchor] = self._values - node.before
        elif isinstance(event, yaml.NodeEvent):
            line = f"line {event.start_mark.line + 1}"
            self._place(event, line)
            self._count(event, line)

    def _place(self, event: Any, line: str) -> None:  # noqa: ANN401
        """Note the scalar where it is a key of the mapping that is open."""
        if not self._open or not self._open[-1].is_mapping:
            return
        node = self._open[-1]
        # Merging two mappings is written as the same key twice.
        plain = isinstance(event, self._yaml.ScalarEvent) and event.value != "<<"
        if node.key_next and plain and self._unique:
            if event.value in node.keys:
                raise _BoundError(
                    expected="each key once in a mapping", got=f"{event.value!r} again in {line}"
                )
            node.keys.add(event.value)
        node.key_next = not node.key_next

    def _count(self, event: Any, line: str) -> None:  # noqa: ANN401
        """Count the values that a node is."""
        yaml, before = self._yaml, self._values
        if isinstance(event, yaml.AliasEvent):
            if any(node.anchor == event.anchor for node in self._open):
                expected = "no alias within what it names"
                raise _BoundError(expected=expected, got=f"*{event.anchor} in {line}")
            self._values += self._sizes.get(event.anchor, 1)
        else:
            self._values += 1
            if event.anchor is not None:
                self._sizes[event.anchor] = 1
        if isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Node(event.anchor, before, is_mapping))
        elif isinstance(event, yaml.ScalarEvent):
            # Text in quotes or blocks may be long; whatever else may become a number.
            is_text = event.style in TEXT_STYLES and event.tag is None
            if not is_text and len(event.value) > LONGEST_PLAIN:
                expected = f"at most {LONGEST_PLAIN:,} characters of a plain value"
                raise _BoundError(expected=expected, got=f"{len(event.value):,} in {line}")
        if len(self._open) > MOST_LEVELS:
            raise _BoundError(expected=f"at most {MOST_LEVELS} levels", got=f"more in {line}")
        if self._values > MOST_VALUES:
            expected = f"at most {MOST_VALUES:,} values, aliases counted as what they name"
            raise _BoundError(expected=expected, got=f"more by {line}")
