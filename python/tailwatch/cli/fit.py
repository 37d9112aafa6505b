"""``tailwatch fit`` and ``tailwatch pack``: a model, and a layout, that later jobs start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import SOURCES, Binary, Column, Seed
from tailwatch.cli.outputs import check_file
from tailwatch.cli.wording import in_options
from tailwatch.exceptions import OutputError, TailwatchError
from tailwatch.progress import reporting
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from tailwatch.contamination import ContaminationModel

__all__ = ["fit", "pack"]

SUFFIX = ".tailwatch"


def fit(
    human: Annotated[
        str,
        typer.Argument(
            metavar="HUMAN",
            help=f"Human rows: {SOURCES}.",
        ),
    ],
    synthetic: Annotated[
        str | None, typer.Argument(metavar="[SYNTHETIC]", help="Synthetic rows, if there are any.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help=f"Model to write, a {SUFFIX} file.")],
    target: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Target rows; needed without SYNTHETIC."),
    ] = None,
    column: Column = "embedding",
    binary: Binary = None,
    strata: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of HUMAN that names each row's stratum."),
    ] = None,
    folds: Annotated[
        int, typer.Option(metavar="N", min=2, max=50, help="Models that are cross-fitted.")
    ] = 5,
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the encoder, kept in the model.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Learn what human and synthetic rows look like; `tailwatch score` then finds them.

    Without synthetic rows a share can only be bounded from below, and the target has to be named.

    [bold]Examples[/bold]

      tailwatch fit human.parquet fake.parquet --out web.tailwatch --strata month
      tailwatch fit human.npy --target 'scrape/*.npy' --out web.tailwatch
    """
    named = [source for source in (human, synthetic, target) if source is not None]
    check_file("--out", out, suffix=SUFFIX, sources=named)

    with in_options(), reporting(progress=True) as report:

        def work() -> ContaminationModel:
            from tailwatch import contamination
            from tailwatch.embeddings import Embeddings
            from tailwatch.embeddings import open as open_embeddings

            def opened(source: str | None) -> Embeddings | None:
                if source is None:
                    return None
                return open_embeddings(source, column=column, binary=binary)

            rows = open_embeddings(human, column=column, binary=binary, id_column=strata)
            return contamination.fit(
                rows,
                opened(synthetic),
                strata=rows.ids,
                target=opened(target),
                folds=folds,
                encoder=encoder,
                seed=seed,
                progress=report,
            )

        model = wait_for(work)

    with in_options():
        try:
            model.save(out)
        except OSError as error:
            if isinstance(error, TailwatchError):
                raise
            name, reason = path_text(out), error.strerror or f"{error}"
            raise OutputError(
                argument="--out",
                expected=f"{name} to be written",
                got=reason,
                where=name,
            ) from error
    from tailwatch.cli.table import for_people

    console = for_people()
    console.print(repr(model), markup=False, soft_wrap=True)
    console.print(f"wrote {path_text(out)}", markup=False, soft_wrap=True)


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
