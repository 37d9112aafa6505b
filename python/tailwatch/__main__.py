"""``python -m tailwatch``: the command line without its script."""

from __future__ import annotations

from tailwatch.cli import main

if __name__ == "__main__":
    main()
