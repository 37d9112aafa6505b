"""The fixture ``tailwatch_compare`` of pytest: a test that fails where a data set may not pass.

pytest finds it once tailwatch is installed::

    def test_the_scrape_has_kept_its_tails(tailwatch_compare):
        tailwatch_compare("human.tailwatch", "scrape.parquet", fail_on="tails_lost,junk,copies")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.comparison.by_class.result import ClassComparison
    from tailwatch.comparison.reference import Reference
    from tailwatch.comparison.result import Comparison
    from tailwatch.embeddings import EmbeddingsLike

__all__ = ["CompareOrFail", "tailwatch_compare"]


class CompareOrFail(Protocol):
    """What the fixture gives: a comparison that fails the test if its gate does."""

    def __call__(
        self,
        reference: EmbeddingsLike | Reference,
        candidate: EmbeddingsLike,
        *,
        fail_on: Sequence[str] | str | None = None,
        limits: Mapping[str, float] | None = None,
        keep: float | None = None,
        inconclusive: Literal["fail", "skip", "pass"] = "fail",
        **arguments: Any,  # noqa: ANN401  (those of `compare`)
    ) -> Comparison | ClassComparison:
        """Compare, and fail the test where something that may not be there is found.

        Parameters
        ----------
        reference, candidate, arguments
            As :func:`tailwatch.compare` takes them.
        fail_on, limits, keep
            As :meth:`tailwatch.Comparison.gate` takes them.
        inconclusive
            What becomes of the test where the gate cannot tell.

        Returns
        -------
        Comparison or ClassComparison
            For further assertions.
        """
        ...


@pytest.fixture
def tailwatch_compare() -> CompareOrFail:
    """Compare a data set with the human one, and fail the test where it may not pass."""

    def compare_or_fail(
        reference: EmbeddingsLike | Reference,
        candidate: EmbeddingsLike,
        *,
        fail_on: Sequence[str] | str | None = None,
        limits: Mapping[str, float] | None = None,
        keep: float | None = None,
        inconclusive: Literal["fail", "skip", "pass"] = "fail",
        **arguments: Any,  # noqa: ANN401  (those of `compare`)
    ) -> Comparison | ClassComparison:
        # Lines of this function are of no use in the report of a failure.
        __tracebackhide__ = True
        from tailwatch.comparison.compare import compare
        from tailwatch.comparison.findings import FAIL_ON

        found: Comparison | ClassComparison = compare(reference, candidate, **arguments)
        gate = found.gate(FAIL_ON if fail_on is None else fail_on, limits=limits, keep=keep)
        said = f"{found.sentence}\n{gate}"
        if gate.state == "failed" or (gate.state, inconclusive) == ("inconclusive", "fail"):
            pytest.fail(said)
        if (gate.state, inconclusive) == ("inconclusive", "skip"):
            pytest.skip(said)
        return found

    return compare_or_fail
