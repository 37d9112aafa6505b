"""What a user brings to the loop: a learner, and the models it fits.

==============  ================================================================================
protocol        what the loop calls
==============  ================================================================================
`Learner`       ``fit(data, rng=…)``, once each generation
`Model`         ``sample(size, rng=…)``, once each generation, after the fit
==============  ================================================================================

What a model may offer besides is used where it is there: ``parameters()``, ``risk(data)``,
``embed(data)``, ``measure(reference, samples)`` and ``save(directory)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from tailwatch.recursion.data.kind import Data

__all__ = ["Learner", "Model"]


class Learner(Protocol):
    """What learns from data; the same object is fitted generation after generation.

    It should keep nothing from one fit to the next: what it kept would be lost when a run is
    resumed. All that is random may come from `rng`, or from NumPy's or Python's global generator:
    the loop seeds these too while it calls the learner.

    Examples
    --------
    >>> import numpy as np
    >>> class Shrinking:
    ...     def fit(self, data, *, rng):
    ...         self.centre, self.scale = data.mean(0), 0.9 * data.std(0)
    ...         return self
    ...
    ...     def sample(self, size, *, rng):
    ...         return rng.normal(self.centre, self.scale, size=(size, len(self.centre)))
    """

    def fit(self, data: Data, *, rng: np.random.Generator) -> Model:
        """Learn from a training set and return what can be sampled from."""
        ...


class Model(Protocol):
    """What a learner has learnt.

    Optional, and used where it is there:

    - ``parameters() -> dict[str, float]``: become rows of the frame, group "parameter";
    - ``risk(data) -> float`` or one loss per row, as an array: the risk on held-out human data, on
      the training set and on earlier tasks, with an interval where there is a loss per row;
    - ``embed(data) -> array``: embeddings that the panel compares, in place of the data themselves;
    - ``measure(reference, samples) -> polars.DataFrame``: more rows of the frame, with at least
      the columns ``metric`` and ``value``, and any others of it;
    - ``save(directory)``: keeps the model in the run directory. Resuming does not need it.
    """

    def sample(self, size: int, *, rng: np.random.Generator) -> Data:
        """Draw `size` rows, of the kind that the training set is."""
        ...
