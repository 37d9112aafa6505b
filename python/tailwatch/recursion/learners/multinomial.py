"""Shares of categories: the learner that forgets rare types one by one, and never finds them again.

In population genetics this is the model of Wright and Fisher: drift without selection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.writing import fill

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Multinomial", "MultinomialModel"]


@dataclass(frozen=True)
class Multinomial:
    """Learn the share of each category, and sample categories independently.

    Data are a one-dimensional array, or a Polars series, of integers, strings or categories.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import Multinomial
    >>> rng = np.random.default_rng(0)
    >>> model = Multinomial().fit(np.array(["cat", "dog", "cat", "cat"]), rng=rng)
    >>> model.shares.tolist()
    [0.75, 0.25]
    """

    def fit(self, data: Any, *, rng: np.random.Generator) -> MultinomialModel:  # noqa: ANN401, ARG002
        """Count categories."""
        if not isinstance(data, np.ndarray | pl.Series) or len(data.shape) != 1 or not len(data):
            raise InputError(
                argument="data",
                expected="a one-dimensional array or a series of at least one row for Multinomial",
                got=_form(data),
            )
        if isinstance(data, np.ndarray):
            types, counts = np.unique(data, return_counts=True)
            return MultinomialModel(types, counts)
        table = data.alias("type").value_counts(name="count").sort("type")
        return MultinomialModel(table["type"], table["count"].to_numpy())


def _form(data: object) -> str:
    """Name what was given, for an error."""
    if isinstance(data, np.ndarray):
        return f"an array of shape {data.shape}"
    return "an empty series" if isinstance(data, pl.Series) else type(data).__name__


@dataclass(frozen=True, eq=False)
class MultinomialModel:
    """Shares of categories.

    Attributes
    ----------
    types
        The categories, in ascending order.
    counts
        Rows of each in the training set.
    """

    types: Any
    counts: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each category."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum()
        return shares

    def sample(self, size: int, *, rng: np.random.Generator) -> Any:  # noqa: ANN401
        """Draw categories, as the training set holds them."""
        drawn = rng.choice(len(self.counts), size, p=self.shares)
        return self.types[drawn]

    def parameters(self) -> dict[str, float]:
        """Return the number of types, 1 − Σp² (Gini–Simpson) and −Σp ln p (nats)."""
        p = self.shares
        return {
            "types": float(len(p)),
            "gini_simpson": float(1 - p @ p),
            "entropy": float(-p @ np.log(p)),
        }

    def risk(self, data: Any) -> NDArray[np.float64]:  # noqa: ANN401
        """Return −ln p of each row, in nats; infinite for categories that the model has not."""
        known = pl.DataFrame({"type": self.types, "risk": -np.log(self.shares)})
        rows = pl.DataFrame({"type": data})
        found = rows.join(known, on="type", how="left", maintain_order="left")["risk"]
        risks: NDArray[np.float64] = found.fill_null(float("inf")).to_numpy()
        return risks

    def save(self, directory: Path) -> None:
        """Write types and counts."""
        table = pl.DataFrame({"type": self.types, "count": self.counts})
        fill(directory / "counts.parquet", table.write_parquet)
