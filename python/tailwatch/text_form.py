r"""Text that may hold anything, as text that can be shown, stored and read back.

A label or a file name may hold a character that ends a terminal's line, turns the writing round,
is no character of XML, or is no text at all: a byte of a file name that is not UTF-8 is a lone
surrogate in Python. Wherever such text leaves tailwatch these *hidden* characters are shown as
escapes: ``\x1b`` for a control character of ASCII, ``\xff`` for a byte that is not UTF-8,
``\u202e`` and ``\U000e0041`` for others.

===============================  ================================================================
for people                       :func:`visible`: hidden characters as escapes, all else as it is;
                                 the same again if it is applied twice
for programs                     :func:`reversible`, which :func:`original` undoes: different texts
                                 stay different
where any character may stand    :func:`storable`: as it is if UTF-8 can hold it, else reversible
for paths                        :func:`path_text` and :func:`path_of`
for values in an error's text    :func:`shown`: a representation of bounded length
===============================  ================================================================

The characters that join letters and emoji (U+200C, U+200D), soft hyphens and unassigned characters
stay: text in some scripts, and text of later versions of Unicode, would be unreadable without.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from reprlib import Repr

__all__ = [
    "one_line",
    "original",
    "path_of",
    "path_text",
    "reversible",
    "shortened",
    "shown",
    "storable",
    "visible",
]

# Controls; what separates lines; what is invisible or turns the direction of writing; surrogates;
# and the code points that are no characters.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")

_BREAK = re.compile(r"\s*[\r\n]\s*")

_LONGEST_VALUE = 200


def visible(text: str) -> str:
    r"""Show hidden characters as escapes.

    Examples
    --------
    >>> print(visible("a\x1b[31m\u202eb"))
    a\x1b[31m\u202eb
    """
    return _HIDDEN.sub(lambda found: _escape(found[0]), text)


def one_line(text: str) -> str:
    """Show hidden characters as escapes, and a space for each end of a line."""
    return visible(_BREAK.sub(" ", text.strip("\r\n")))


def reversible(text: str) -> str:
    r"""Show hidden characters as escapes that :func:`original` undoes.

    Backslashes are doubled where one would otherwise be read as the start of an escape.

    Examples
    --------
    >>> print(reversible("a\x1b"), reversible("a\\x1b"), reversible("C:\\new"))
    a\x1b a\\x1b C:\new
    """
    if not _HIDDEN.search(text) and not _ESCAPE.search(text):
        return text
    return visible(text.replace("\\", "\\\\"))


def original(text: str) -> str:
    """Return the text of which :func:`reversible` made `text`."""
    return _ESCAPE.sub(lambda found: _character(found[1]), text)


def storable(text: str) -> str:
    """Return `text` as it is if UTF-8 can hold it, else in its reversible form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return reversible(text)
    return text


def path_text(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    """Return a path as text that can be shown and stored, whatever its bytes are.

    :func:`path_of` returns the path again.
    """
    return reversible(os.fsdecode(path))


def path_of(text: str) -> Path:
    """Return the path of which :func:`path_text` made `text`."""
    return Path(original(text))


def shortened(text: str, most: int) -> str:
    """Cut `text` to `most` characters, in its middle, since both ends of a path tell something."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def shown(value: object) -> str:
    """Return the representation of a value for an error's text: one line of bounded length."""
    try:
        text = _BOUNDED.repr(value)
    except Exception:  # noqa: BLE001  (a representation that fails must not hide the error)
        text = f"a value of type {type(value).__name__}"
    return shortened(one_line(text), _LONGEST_VALUE)


class _Bounded(Repr):
    """Representations of a few items and a few dozen characters."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = 100
        self.maxlong = 40
        self.maxother = _LONGEST_VALUE

    def repr_int(self, x: int, level: int) -> str:
        """Return the digits, or their number: Python prints none of more than 4,300 digits."""
        digits = x.bit_length() * 0.30103
        if digits < 40:
            return super().repr_int(x, level)
        return f"a number of about {digits:,.0f} digits"


_BOUNDED = _Bounded()


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        # How Python holds a byte that is not UTF-8.
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _character(escape: str) -> str:
    if escape == "\\":
        return escape
    code = int(escape[1:], 16)
    if escape[0] == "x" and code >= 0x80:
        return chr(0xDC00 + code)
    # An escape that no `reversible` made.
    return chr(code) if code <= 0x10FFFF else f"\\{escape}"
