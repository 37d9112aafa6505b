"""What each metric of a comparison is: an entry for each, from which ``docs/metrics.md`` is made.

An entry says in words what the metric is, and names the class that computes it. What pages call it
is in :mod:`tailwatch.report.words`, which knows of frames alone.

A family shares what its metrics share by being computed together: cost, work and memory.
"""

from __future__ import annotations

from functools import partial

from tailwatch.comparison.metric import Direction, Interval, Metric
from tailwatch.comparison.metrics.clusters import Mauve, Modes
from tailwatch.comparison.metrics.directions import DirectionalTails, SlicedWasserstein
from tailwatch.comparison.metrics.kernels import Kernels
from tailwatch.comparison.metrics.moments import Moments, Vendi
from tailwatch.comparison.metrics.neighbors import (
    Authenticity,
    KnnDivergence,
    KnnJensenShannon,
    Neighborhoods,
)

__all__ = ["METRICS", "Direction", "Metric"]

OF_SHARE = Interval(
    "half-sampling",
    "on the logit scale, reaching at least as far as the binomial one (mid-P) where few rows count",
    "share",
)
OF_RATIO = Interval("half-sampling", "on the log scale, of complementary halves", "ratio")
OF_MOMENTS = Interval(
    "half-sampling", f"{OF_RATIO.words}; none where tails are too heavy for one", "ratio"
)
OF_UNBOUNDED = Interval(
    "half-sampling",
    "on its own scale, of complementary halves, cut off at 0; none where tails are too heavy for "
    "one",
    "real",
)
OF_LIMIT = Interval(
    "half-sampling",
    "on its own scale, of complementary halves; may be below 0; none where tails are too heavy for "
    "one",
    "signed",
)
OF_SQUARE = Interval(
    "half-sampling",
    "on the scale of its square, of complementary halves, cut off at 0; none where tails are too "
    "heavy for one",
    "real",
)
OF_DENSITY = Interval(
    "three-quarter sampling", "on the log scale; halves show too little of its variance", "ratio"
)
OF_SIGNED = Interval(
    "half-sampling", "on its own scale; an estimate of 0 may be below it", "signed"
)
CLOSED = Interval(
    "closed variance",
    "of the U-statistic at the hypothesised distance; its distribution a shifted gamma",
)
CLOSED_OF_MOMENTS = Interval(
    "closed variance", f"{CLOSED.words}; none where tails are too heavy for one"
)

in_neighborhoods = partial(
    Metric,
    family=Neighborhoods,
    cost="quadratic in rows",
    work="9h²·d for all of its family at once, (n² + m² + 3nm)·d on all rows",
    memory="O(h·k) lists of nearest rows, deep enough for every half-sample; never h²",
)
of_tails = partial(in_neighborhoods, by_level=True)
of_moments = partial(
    Metric,
    family=Moments,
    cost="linear in rows",
    work="3h·d² for moments, then O(d³) for each of 31 subsets",
    memory="3 · 32 groups · 8d² bytes",
)
of_kernels = partial(
    Metric,
    family=Kernels,
    cost="quadratic in rows",
    work="3½h² inner products for all kernels at once, (n + m)²/2 on all rows",
    memory="O(h), and a tile per thread; never h²",
    null="0 on average: the estimate is unbiased, and below 0 as often as not",
)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        in_neighborhoods(
            name="precision",
            direction="higher",
            definition="share of Y inside at least one ball of X, to the k-th neighbour",
            source="Kynkäänniemi et al. 2019",
            null="below 1: some fresh rows lie outside of all balls, the more the more columns",
            interval=OF_SHARE,
        ),
        in_neighborhoods(
            name="recall",
            direction="higher",
            definition="share of X inside at least one ball of Y, to the k-th neighbour",
            source="Kynkäänniemi et al. 2019",
            null="below 1, as that of precision",
            interval=OF_SHARE,
        ),
        in_neighborhoods(
            name="density",
            direction="match",
            definition="balls of X that a row of Y lies in, on average, over k",
            source="Naeem et al. 2020",
            null="near 1",
            interval=OF_DENSITY,
        ),
        in_neighborhoods(
            name="coverage",
            direction="higher",
            definition="share of X whose ball holds at least one row of Y",
            source="Naeem et al. 2020",
            null="1 − Π (n−1−i)/(n+m−1−i) over i < k, whatever the distribution",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_coverage",
            direction="higher",
            definition="coverage of the rarest rows of X: those of the largest balls",
            source="of this project, after Naeem et al. 2020",
            null="near 1, most of all in many columns",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_recall",
            direction="higher",
            definition="recall of the rarest rows of X",
            source="of this project, after Kynkäänniemi et al. 2019",
            null="below recall's, and small in many columns",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_mass",
            direction="match",
            definition="share of Y as far from its k-th row of X as the rarest α of B, over α",
            source="of this project",
            null="near 1: the threshold is taken from B",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_supported_mass",
            direction="match",
            definition="tail mass that also lies inside at least one ball of X",
            source="of this project",
            null="below 1, as some of a fresh tail lies outside of all balls",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_odds_ratio",
            direction="match",
            definition="odds of a row of Y among the rarest α of both samples, over those of X",
            source="of this project, after Fisher's exact test",
            null="1 exactly, whatever the distribution and the columns (hypergeometric)",
            interval=OF_SHARE,
        ),
        Metric(
            name="mode_coverage",
            direction="higher",
            family=Modes,
            definition="share of the smallest k-means clusters of X that Y still fills",
            source="of this project, after Lloyd 1982",
            null="1, but for chance: a mode is lost only where its own 95 % interval says so",
            interval=Interval(
                "no interval", "a mode counts as lost only where its own 95 % interval says so"
            ),
            cost="rows × √rows",
            work="h·√(h/2) distances of d columns in each round of k-means",
            memory="O(h), and a byte for each value of the embeddings",
        ),
        Metric(
            name="directional_tails",
            direction="match",
            family=DirectionalTails,
            definition="share of Y beyond X's outer quantiles along a direction, over α: mean of "
            "256",
            source="of this project; closed form Φ(−z/σ)/Φ(−z) for N(0, σ²)",
            null="near 1; above it where α/2 of h is a row or two",
            interval=OF_SHARE,
            cost="linear in rows",
            work="3h·d·256 products and a sort along each direction",
            memory="O(h) numbers for each direction in work",
        ),
        of_moments(
            name="frechet_distance",
            direction="lower",
            definition="‖μ_X−μ_Y‖² + tr(Σ_X+Σ_Y−2(Σ_XΣ_Y)^½)",
            source="Dowson & Landau 1982; Heusel et al. 2017",
            null="above 0: a bias of order d/h times the variance",
            interval=OF_UNBOUNDED,
        ),
        of_kernels(
            name="mmd_polynomial",
            direction="lower",
            definition="MMD² of the kernel (⟨x,y⟩/d + 1)³ over all pairs (KID)",
            source="Gretton et al. 2012; Bińkowski et al. 2018",
            interval=CLOSED_OF_MOMENTS,
        ),
        of_kernels(
            name="mmd_gaussian",
            direction="lower",
            definition="MMD² of the kernel exp(−‖x−y‖²/2σ²), σ the median distance of human rows",
            source="Gretton et al. 2012; Jayasumana et al. 2024",
            interval=CLOSED,
        ),
        of_kernels(
            name="energy_distance",
            direction="lower",
            definition="2E‖x−y‖ − E‖x−x′‖ − E‖y−y′‖ over all pairs",
            source="Székely & Rizzo 2013",
            interval=CLOSED,
        ),
        of_moments(
            name="total_variance",
            direction="match",
            definition="sum of the variances of all columns of Y",
            source="the trace of its covariance",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        of_moments(
            name="effective_rank",
            direction="match",
            definition="exp of the entropy of the covariance's eigenvalues",
            source="Roy & Vetterli 2007",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        of_moments(
            name="participation_ratio",
            direction="match",
            definition="(Σλ)²/Σλ² of the covariance's eigenvalues",
            source="Bell & Dean 1970",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        Metric(
            name="sliced_wasserstein",
            direction="lower",
            family=SlicedWasserstein,
            definition="(mean of W₂² along 256 random directions)^½",
            source="Rabin et al. 2011; Bonneel et al. 2015",
            null="above 0: a bias that dies out as h^(−½)",
            interval=OF_SQUARE,
            cost="rows × log rows",
            work="3h·256 products of d columns, and a sort along each direction",
            memory="some ten numbers for each row and thread",
        ),
        Metric(
            name="authenticity",
            direction="match",
            family=Authenticity,
            definition="share of Y farther from its nearest row of X than that from its nearest "
            "other row of X",
            source="Alaa et al. 2022",
            null="about 1/3 in one column to 1/2 in many; below it a candidate copies",
            interval=OF_SHARE,
            cost="quadratic in rows",
            work="1½h²·d at most: a search within A, one of B and one of C across A",
            memory="O(h) lists of nearest rows; never h²",
        ),
        Metric(
            name="vendi_score",
            direction="match",
            family=Vendi,
            definition="exp of the entropy of the eigenvalues of the cosines of Y over m",
            source="Friedman & Dieng 2023",
            null="that of B: the score grows with the rows, so that sizes must be equal",
            interval=OF_RATIO,
            cost="linear in rows",
            work="2h·d² for Gram matrices, then O(d³) for each of 31 subsets",
            memory="2 · 32 groups · 8d² bytes",
        ),
        Metric(
            name="knn_divergence",
            direction="lower",
            family=KnnDivergence,
            definition="KL(Y‖X) = (d/m) Σ ln(ν_k(y)/ρ_k(y)) + ln(n/(m−1)) from k-th neighbours; d "
            "is the number of columns",
            source="Wang, Kulkarni & Verdú 2009; Pérez-Cruz 2008",
            null="near 0 on either side, with a bias that dies out slowly in many columns",
            interval=OF_SIGNED,
            cost="quadratic in rows",
            work="2h²·d at most: searches within B and C, and of both across A",
            memory="O(h·k) lists of nearest rows, deep enough for every half-sample; never h²",
        ),
        Metric(
            name="knn_jensen_shannon",
            direction="lower",
            family=KnnJensenShannon,
            definition="½KL(X‖M) + ½KL(Y‖M), M their equal mixture, from rows in k-th balls, "
            "adjusted for chance; up to ln 2",
            source="after Ross 2014; Vinh et al. 2010",
            null="near 0 on either side",
            interval=Interval(
                "no interval",
                "its balls count rows of both samples, which each half-sample would have to search "
                "anew",
            ),
            cost="quadratic in rows",
            work="4h²·d at most: two pairs of samples, searched within and across",
            memory="O(h·k); never h²",
        ),
        Metric(
            name="mauve",
            direction="higher",
            family=Mauve,
            definition="area under the frontier of KL divergences from mixtures (scaling 5), over "
            "max(2, min(n, m)/10) clusters of the pooled rows",
            source="Pillutla et al. 2021",
            null="below 1: clusters of some ten rows differ by chance",
            interval=Interval(
                "no interval",
                "clusters are fitted to the rows they count, and a half has others and another "
                "bias",
            ),
            cost="quadratic in rows",
            work="2h · h/10 distances of d columns in each round of k-means, twice",
            memory="O(h), and a byte for each value of the embeddings",
        ),
        of_moments(
            name="frechet_distance_extrapolated",
            direction="lower",
            definition="Fréchet distance on a line through all rows and their halves, at 1/n = 0",
            source="Chong & Forsyth 2020",
            null="near 0 on either side: the bias of order 1/n is taken off",
            interval=OF_LIMIT,
        ),
    )
}
"""All metrics, in the order of the frame."""
