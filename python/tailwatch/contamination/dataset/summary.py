"""The content of ``summary.json``: ``docs/schemas.md`` has each field.

Numbers that are not known are null, in JSON as here.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.contamination.dataset.sentence import sentence
from tailwatch.results import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.contamination.dataset.copies import Copies
    from tailwatch.contamination.dataset.report import Failure
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.rows import RowTable
    from tailwatch.contamination.state import ModelState

__all__ = ["SELECTED_AT", "ShardRow", "summarize", "target_digest"]

SELECTED_AT = 0.05
"""The q-value up to which rows are counted as found."""


@dataclass(frozen=True, slots=True)
class ShardRow:
    """What is said of a shard: its rows, the mean of their probabilities, and its table."""

    shard: str
    rows: int
    share: float
    table: str


def target_digest(fingerprint: str, found: Prevalence) -> str:
    """Give a digest of all that decides probabilities, p- and q-values."""
    bins, ranks = found.histogram.finish()
    digest = hashlib.sha256(fingerprint.encode())
    digest.update(bins.astype("<i8").tobytes())
    digest.update(ranks.astype("<i8").tobytes())
    # Labels change the share, and the counts do not tell.
    digest.update(np.float64(found.value).astype("<f8").tobytes())
    return digest.hexdigest()[:32]


def summarize(
    state: ModelState,
    fingerprint: str,
    found: Prevalence,
    table: RowTable,
    shards: Sequence[ShardRow],
    *,
    copies: Copies,
    failures: Sequence[Failure],
    notes: Sequence[str],
    source: dict[str, Any],
) -> dict[str, Any]:
    """Put everything that is known of a data set into plain numbers and text."""
    ranks = found.histogram.ranks
    selected = int(ranks[table.q_values <= SELECTED_AT].sum())
    return {
        "format": "tailwatch-contamination",
        "version": 1,
        "tailwatch": version("tailwatch"),
        "sentence": sentence(found),
        "prevalence": found.to_plain(),
        "selected": {"q_value": SELECTED_AT, "rows": selected},
        "copies": plain(copies),
        "histogram": {
            "edges": [float(edge) for edge in state.edges],
            "human": state.human.sum(axis=0).tolist(),
            "synthetic": None if state.human_only else state.synthetic.tolist(),
            "target": found.histogram.bins.tolist(),
            "probability": table.probabilities.tolist(),
        },
        "model": {
            "fingerprint": fingerprint,
            "columns": state.probe.columns,
            "encoder": state.encoder,
            "strata": list(state.strata),
        },
        "source": source | {"shards": len(shards) + len(failures)},
        "warnings": list(notes),
        "failures": [asdict(failure) for failure in failures],
        "shards": [plain(shard) for shard in shards],
    }
