"""What is on a disk, to be compared before and after: contents, links, kinds and modes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["snapshot"]


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file, folder, link and device below a folder, with its mode and what it holds."""
    found: dict[str, tuple[int, bytes]] = {}
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            mode = path.lstat().st_mode
            content = b""
            if stat.S_ISLNK(mode):
                content = os.fsencode(path.readlink())
            elif stat.S_ISREG(mode):
                content = path.read_bytes()
            found[os.fspath(path.relative_to(folder))] = mode, content
    return found
