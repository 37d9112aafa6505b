"""``tailwatch pack``: embeddings in the layout that is read fastest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tailwatch.cli.options import Binary, Column
from tailwatch.cli.wording import in_options
from tailwatch.text_form import path_text

__all__ = ["pack"]


def pack(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...", help=".parquet, .arrow, .npy or .npz files, or quoted globs."
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")],
    *,
    column: Column = "embedding",
    dtype: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="f16 or f32; by default that of the source."),
    ] = None,
    rows_per_shard: Annotated[
        int, typer.Option(metavar="N", min=1, max=2**40, help="Rows of each shard but the last.")
    ] = 1_000_000,
    binary: Binary = None,
) -> None:
    """Write embeddings as arrays that are read as they lie, all other columns in tables beside.

    Nothing is lost unless a narrower type is asked for; a value that it cannot hold is refused.
    Keys in the names of folders, as in lang=en, become columns of text.

    [bold]Examples[/bold]

      tailwatch pack 'scrape/*.parquet' packed
      tailwatch pack 'scrape/*.parquet' packed --dtype f16 --column vector
    """
    from tailwatch.io.pack import pack as pack_embeddings

    with in_options():
        # It waits for its own threads, so an interruption is heard and leaves nothing behind.
        pack_embeddings(
            source[0] if len(source) == 1 else source,
            out,
            column=column,
            dtype=dtype,
            rows_per_shard=rows_per_shard,
            binary=binary,
            progress=True,
        )
    typer.echo(f"wrote {path_text(out)}", err=True)
