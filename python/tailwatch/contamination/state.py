"""All that a contamination model knows, as arrays; checked, hashed, written by `model_file`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.folds import HASHES
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.scoring import Probe

__all__ = ["ModelState", "check_state"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is kept of the references.

    Attributes
    ----------
    probe
        The models of the score.
    edges
        Inner edges of its bins, ascending.
    thresholds
        Those edges that the lower bound uses; none with a synthetic reference.
    human
        Counts of the human reference: parts × bins.
    synthetic
        Counts of the synthetic reference, or zeros.
    calibration
        Human scores behind the p-values, ascending.
    strata
        Names of the parts where they are strata; empty where they are random.
    encoder
        Name of the encoder, if given.
    fitted_on
        Rows of each class that the probe was fitted on, human first.
    rows
        Rows of each class that were given.
    seed
        Of all random choices.
    """

    probe: Probe
    edges: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    human: NDArray[np.int64]
    synthetic: NDArray[np.int64]
    calibration: NDArray[np.float32]
    strata: tuple[str, ...]
    encoder: str | None
    fitted_on: tuple[int, int]
    rows: tuple[int, int]
    seed: int

    @property
    def human_only(self) -> bool:
        """Whether there is no synthetic reference."""
        return not self.synthetic.any()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Give the arrays by name, in the order of the file."""
        return {
            "weights": self.probe.weights,
            "intercepts": self.probe.intercepts,
            "bounds": self.probe.bounds,
            "edges": self.edges,
            "thresholds": self.thresholds,
            "human": self.human,
            "synthetic": self.synthetic,
            "calibration": self.calibration,
        }


def check_state(state: ModelState) -> None:
    """Refuse a state that no fit can have made.

    Raises
    ------
    InputError
        The text says what is wrong, for the name of a file to be put before it.
    """
    folds, bins = len(state.probe.weights), len(state.edges) + 1
    rules = {
        "weights: expected folds × columns, at least one of each": state.probe.weights.ndim == 2
        and state.probe.weights.size > 0
        and folds < 256,
        "intercepts: expected one for each fold": state.probe.intercepts.shape == (folds,),
        "bounds: expected one for each fold": state.probe.bounds.shape == (folds,),
        "edges: expected a list": state.edges.ndim == 1,
        "thresholds: expected a list": state.thresholds.ndim == 1,
        "human: expected parts × bins": state.human.ndim == 2 and state.human.shape[1:] == (bins,),
        "synthetic: expected a count for each bin": state.synthetic.shape == (bins,),
        "calibration: expected a list of scores": state.calibration.ndim == 1
        and state.calibration.size > 0,
        "rows: expected counts of at least 1": min(*state.rows, *state.fitted_on) > 0,
        "seed: expected an integer of at least 0": state.seed >= 0,
    }
    _require(rules)
    bounds = state.probe.bounds
    contents = {
        f"{name}: expected finite numbers": bool(np.isfinite(array).all())
        for name, array in state.arrays().items()
    }
    contents |= {
        "bounds: expected ascending, up to all hashes": bool((bounds[1:] >= bounds[:-1]).all())
        and int(bounds[-1]) == HASHES,
        "edges: expected ascending": bool((np.diff(state.edges) > 0).all()),
        "calibration: expected ascending": bool((np.diff(state.calibration) >= 0).all()),
        "thresholds: expected among the edges": bool(np.isin(state.thresholds, state.edges).all()),
        "human: expected rows in each of two parts": len(state.human) > 1
        and bool((state.human >= 0).all())
        and bool((state.human.sum(axis=1) > 0).all())
        and int(state.human.sum()) == state.rows[0],
        "synthetic: expected the counts of its rows": bool((state.synthetic >= 0).all())
        and int(state.synthetic.sum()) in {0, state.rows[1]},
        "strata: expected a name for each part": len(state.strata) in {0, len(state.human)},
    }
    _require(contents)


def _require(rules: dict[str, bool]) -> None:
    for text, good in rules.items():
        if not good:
            name, _, expected = text.partition(": expected ")
            raise InputError(argument=name, expected=expected)
