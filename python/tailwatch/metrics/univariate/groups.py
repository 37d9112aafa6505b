"""Metrics of numbers inside ``group_by().agg()``."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["aggregate"]


def aggregate(metric: Callable[..., Any], *samples: str | pl.Expr, **options: object) -> pl.Expr:
    """Make a Polars expression that gives a metric for each group.

    It is ``pl.map_groups`` with the metric of this module as its function, one value per group: a
    number as Float64, a result of several numbers as a struct of them. A group that a sample has no
    row in has no value: it is null.

    Parameters
    ----------
    metric
        Any function of :mod:`tailwatch.metrics.univariate`.
    *samples
        Its samples: names of columns, or expressions, such as a column filtered by source. Nulls
        are refused as everywhere; ``drop_nulls()`` drops them.
    **options
        Its keyword arguments.

    Returns
    -------
    polars.Expr
        For ``group_by().agg()`` and ``select()``.

    Examples
    --------
    How far the scores of each class moved, human against generated rows of one frame:

    >>> import polars as pl
    >>> from tailwatch.metrics import univariate
    >>> frame = pl.DataFrame(
    ...     {
    ...         "label": ["cat", "cat", "cat", "cat", "dog", "dog", "dog", "dog"],
    ...         "source": ["human", "human", "model", "model"] * 2,
    ...         "score": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 4.0, 5.0],
    ...     }
    ... )
    >>> human, model = (
    ...     pl.col("score").filter(pl.col("source") == source) for source in ("human", "model")
    ... )
    >>> w1 = univariate.aggregate(univariate.wasserstein_distance, human, model)
    >>> ks = univariate.aggregate(univariate.kolmogorov_smirnov, human, model)
    >>> frame.group_by("label", maintain_order=True).agg(w1=w1, ks=ks.struct["statistic"])
    shape: (2, 3)
    ┌───────┬─────┬─────┐
    │ label ┆ w1  ┆ ks  │
    │ ---   ┆ --- ┆ --- │
    │ str   ┆ f64 ┆ f64 │
    ╞═══════╪═════╪═════╡
    │ cat   ┆ 0.0 ┆ 0.0 │
    │ dog   ┆ 3.0 ┆ 1.0 │
    └───────┴─────┴─────┘

    Columns that stand beside each other need no filter:

    >>> wide = pl.DataFrame({"label": ["a", "a"], "human": [1, 2], "model": [3, 4]})
    >>> wide.group_by("label").agg(
    ...     univariate.aggregate(univariate.wasserstein_distance, "human", "model").alias("w1")
    ... )["w1"].to_list()
    [2.0]
    """
    expressions = [pl.col(one) if isinstance(one, str) else one for one in samples]

    def of_group(columns: Sequence[pl.Series]) -> Any:  # noqa: ANN401 (as Polars has it)
        if any(column.is_empty() for column in columns):
            return None
        found = metric(*columns, **options)
        return asdict(found) if is_dataclass(found) and not isinstance(found, type) else found

    return pl.map_groups(expressions, of_group, return_dtype=_dtype_of(metric), returns_scalar=True)


def _dtype_of(metric: Callable[..., Any]) -> pl.DataType:
    """Return the data type of a metric's result, by its annotation."""
    import sys
    from typing import get_type_hints

    named = metric.__annotations__["return"]
    result = getattr(sys.modules[metric.__module__], named) if named != "float" else float
    if not is_dataclass(result):
        return pl.Float64()
    integers = {name for name, kind in get_type_hints(result).items() if kind is int}
    return pl.Struct(
        {name: pl.Int64 if name in integers else pl.Float64 for name in result.__dataclass_fields__}
    )
