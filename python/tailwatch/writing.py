"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    Parameters
    ----------
    path
        The file to make or replace. A link is followed.
    write
        Called with the temporary path. If it fails, or the process is interrupted, the temporary
        file is removed and `path` is as it was.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written.
    """
    target = path.resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such directory", str(path.parent))
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
