"""What each metric of a comparison is: the entries that ``docs/reference/metrics.md`` is made of.

An entry says what pages call the metric and what it is, and names the class that computes it; so a
new metric is one entry and one class. Pages are handed the labels, :data:`LABELS`, since
:mod:`tailwatch.report` knows of frames alone.

A family shares what its metrics share by being computed together: cost, work and memory. The file
is long because it is one table: what is known of a metric stands in one place.
"""

from __future__ import annotations

from functools import partial

from tailwatch.comparison.metrics.clusters import Mauve, Modes
from tailwatch.comparison.metrics.directions import DirectionalTails, LinearProbe, SlicedWasserstein
from tailwatch.comparison.metrics.family import Direction, IntervalMethod, Metric
from tailwatch.comparison.metrics.kernels import Kernels
from tailwatch.comparison.metrics.moments import MomentMetrics, Vendi
from tailwatch.comparison.metrics.neighbors import (
    Authenticity,
    Copies,
    Duplicates,
    KnnDivergence,
    KnnJensenShannon,
    Neighborhoods,
)
from tailwatch.report.words import Label

__all__ = ["LABELS", "METRICS", "Direction", "Metric"]

OF_SHARE = IntervalMethod(
    "half-sampling",
    "on the logit scale, reaching at least as far as the binomial one (mid-P) where few rows count",
    "share",
)
OF_CUT_SHARE = IntervalMethod("half-sampling", f"{OF_SHARE.words}; cut at 1", "share")
OF_COUNT = IntervalMethod("binomial", "mid-P, A being given; that of the retention is made of both")
OF_RATIO = IntervalMethod("half-sampling", "on the log scale, of complementary halves", "ratio")
OF_MOMENTS = IntervalMethod(
    "half-sampling", f"{OF_RATIO.words}; none where tails are too heavy for one", "ratio"
)
OF_UNBOUNDED = IntervalMethod(
    "half-sampling",
    "on its own scale, of complementary halves, cut off at 0; none where tails are too heavy for "
    "one",
    "real",
)
OF_LIMIT = IntervalMethod(
    "half-sampling",
    "on its own scale, of complementary halves; may be below 0; none where tails are too heavy for "
    "one",
    "signed",
)
OF_SQUARE = IntervalMethod(
    "half-sampling",
    "on the scale of its square, of complementary halves, cut off at 0; none where tails are too "
    "heavy for one",
    "real",
)
OF_DENSITY = IntervalMethod(
    "three-quarter sampling", "on the log scale; halves show too little of its variance", "ratio"
)
OF_SIGNED = IntervalMethod(
    "half-sampling", "on its own scale; an estimate of 0 may be below it", "signed"
)
CLOSED = IntervalMethod(
    "closed variance",
    "of the U-statistic at the hypothesised distance; its distribution a shifted gamma",
)
CLOSED_OF_MOMENTS = IntervalMethod(
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
of_copies = partial(
    Metric,
    family=Copies,
    cost="rows × log rows",
    work="3h·d for hashes and projections, and a sort of h of each",
    memory="32 bytes a row of A, on all rows of X",
)
of_moments = partial(
    Metric,
    family=MomentMetrics,
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
    null="0 on average: the estimate is unbiased, and below 0 as often as not; copies that a "
    "sample holds of its own rows, beyond equal rows of both samples, are no pairs",
)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        in_neighborhoods(
            name="precision",
            label=Label(
                "Precision",
                "fidelity",
                "share of candidate rows",
                "Candidate rows that lie where the reference has rows. It rises when a candidate "
                "shrinks towards the centre.",
            ),
            direction="higher",
            definition="share of Y inside at least one ball of X, to the k-th neighbour",
            source="Kynkäänniemi et al. 2019",
            null="below 1: some fresh rows lie outside of all balls, the more the more columns",
            interval=OF_SHARE,
        ),
        in_neighborhoods(
            name="recall",
            label=Label(
                "Recall",
                "fidelity",
                "share of reference rows",
                "Reference rows that lie where the candidate has rows.",
            ),
            direction="higher",
            definition="share of X inside at least one ball of Y, to the k-th neighbour",
            source="Kynkäänniemi et al. 2019",
            null="below 1, as that of precision",
            interval=OF_SHARE,
        ),
        in_neighborhoods(
            name="density",
            label=Label(
                "Density",
                "fidelity",
                "ratio",
                "How many reference neighbourhoods a candidate row lies in, on average, divided by "
                "k.",
            ),
            direction="match",
            definition="balls of X that a row of Y lies in, on average, over k",
            source="Naeem et al. 2020",
            null="near 1",
            interval=OF_DENSITY,
        ),
        in_neighborhoods(
            name="coverage",
            label=Label(
                "Coverage",
                "fidelity",
                "share of reference rows",
                "Reference rows with at least one candidate row in their neighbourhood. It can "
                "rise while tails vanish.",
            ),
            direction="higher",
            definition="share of X whose ball holds at least one row of Y",
            source="Naeem et al. 2020",
            null="1 − Π (n−1−i)/(n+m−1−i) over i < k, whatever the distribution",
            interval=OF_SHARE,
        ),
        in_neighborhoods(
            name="clipped_density",
            label=Label(
                "Clipped density",
                "fidelity",
                "share of candidate rows",
                "Share of the candidate that lies where the reference is dense, outliers of the "
                "reference set aside: the share of good rows.",
            ),
            direction="higher",
            definition="mean over Y of the balls of X, no larger than the median one, that hold a "
            "row, k at most, over that of X in itself; cut at 1",
            source="Salvy, Talbot & Thirion 2026",
            null="near 1, and a little below it, since it is cut",
            interval=OF_CUT_SHARE,
        ),
        in_neighborhoods(
            name="clipped_coverage",
            label=Label(
                "Clipped coverage",
                "fidelity",
                "share of candidate rows",
                "Share of the candidate that would cover the reference as well if all of it were "
                "fresh human rows.",
            ),
            direction="higher",
            definition="mean over X of the rows of Y in its ball, k at most, as the share of good "
            "rows that makes it so on average (Beta-binomial); cut at 1",
            source="Salvy, Talbot & Thirion 2026",
            null="near 1, and a little below it, since it is cut",
            interval=OF_CUT_SHARE,
        ),
        of_copies(
            name="copies",
            label=Label(
                "Copies",
                "fidelity",
                "share of candidate rows",
                "Candidate rows that are reference rows, value by value.",
            ),
            direction="match",
            definition="share of Y at distance 0 from a row of X; on all rows, from any human row",
            source="of this project",
            null="the duplicates among human rows: 0 where there are none",
            interval=OF_COUNT,
        ),
        of_copies(
            name="normalised_copies",
            label=Label(
                "Normalised copies",
                "fidelity",
                "share of candidate rows",
                "Candidate rows that are reference rows once both are divided by their lengths.",
            ),
            direction="match",
            definition="share of Y at distance 0, but for rounding, from a row of X when both have "
            "length 1",
            source="of this project",
            null="the duplicates among human directions: 0 where there are none",
            interval=OF_COUNT,
        ),
        Metric(
            name="duplicates",
            label=Label(
                "Duplicates",
                "fidelity",
                "share of candidate rows",
                "Candidate rows that equal another candidate row, value by value.",
            ),
            direction="match",
            family=Duplicates,
            definition="share of Y that equal another row of Y; on all rows, of n of them at most",
            source="of this project",
            null="the duplicates among all n human rows: 0 where there are none",
            interval=IntervalMethod(
                "binomial",
                "mid-P, groups of up to 15 equal rows counting once; that of the retention is made "
                "of both",
            ),
            cost="rows × log rows",
            work="h·d for hashes, on all human rows once, and a sort of h + n",
            memory="40 bytes a row of X and Y",
        ),
        of_tails(
            name="tail_coverage",
            label=Label(
                "Tail coverage",
                "tails",
                "share of tail rows",
                "Coverage, of the rarest reference rows only.",
            ),
            direction="higher",
            definition="coverage of the rarest rows of X: those of the largest balls",
            source="of this project, after Naeem et al. 2020",
            null="near 1, most of all in many columns",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_recall",
            label=Label(
                "Tail recall",
                "tails",
                "share of tail rows",
                "Recall, of the rarest reference rows only.",
            ),
            direction="higher",
            definition="recall of the rarest rows of X",
            source="of this project, after Kynkäänniemi et al. 2019",
            null="below recall's, and small in many columns",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_mass",
            label=Label(
                "Tail mass",
                "tails",
                "multiple of the tail level",
                "Share of candidate rows as rare as the tail of the reference, divided by the tail "
                "level.",
            ),
            direction="match",
            definition="share of Y as far from its k-th row of X as the rarest α of B, over α",
            source="of this project",
            null="near 1: the threshold is taken from B",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_supported_mass",
            label=Label(
                "Supported tail mass",
                "tails",
                "multiple of the tail level",
                "Tail mass that also lies where the reference has rows, so that noise far from all "
                "data does not count.",
            ),
            direction="match",
            definition="tail mass that also lies inside at least one ball of X",
            source="of this project",
            null="below 1, as some of a fresh tail lies outside of all balls",
            interval=OF_SHARE,
        ),
        of_tails(
            name="tail_odds_ratio",
            label=Label(
                "Tail odds ratio",
                "tails",
                "odds ratio",
                "Odds that a candidate row is among the rarest rows of both sets together, against "
                "the odds of a reference row.",
            ),
            direction="match",
            definition="odds of a row of Y among the rarest α of both samples, over those of X",
            source="of this project, after Fisher's exact test",
            null="1 exactly, whatever the distribution and the columns (hypergeometric)",
            interval=OF_SHARE,
        ),
        Metric(
            name="mode_coverage",
            label=Label(
                "Modes kept",
                "tails",
                "share of modes",
                "Clusters of the reference that the candidate still fills: of the smallest, and of "
                "all of them (level 100 %).",
            ),
            direction="higher",
            family=Modes,
            definition="share of the k-means clusters of X that Y still fills: of the smallest, "
            "which hold 5 % of X, and of all (level 1)",
            source="of this project, after Lloyd 1982",
            null="1, but for chance: a mode is lost only where its own interval says so, at 95 %; "
            "of all modes, at 95 % for all of them together",
            interval=IntervalMethod(
                "no interval", "a mode counts as lost only where its own interval says so"
            ),
            cost="rows × √rows",
            work="h·√(h/2) distances of d columns in each round of k-means",
            memory="O(h), and a byte for each value of the embeddings",
        ),
        Metric(
            name="directional_tails",
            label=Label(
                "Directional tails",
                "tails",
                "multiple of the tail level",
                "Share of candidate rows beyond the outer quantiles of the reference, divided by "
                "the tail level and averaged over many directions.",
            ),
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
            label=Label(
                "Fréchet distance",
                "divergence",
                "squared distance",
                "Distance between the means and covariances of the two sets.",
            ),
            direction="lower",
            definition="‖μ_X−μ_Y‖² + tr(Σ_X+Σ_Y−2(Σ_XΣ_Y)^½)",
            source="Dowson & Landau 1982; Heusel et al. 2017",
            null="above 0: a bias of order d/h times the variance",
            interval=OF_UNBOUNDED,
        ),
        of_kernels(
            name="mmd_polynomial",
            label=Label(
                "MMD², polynomial",
                "divergence",
                "squared kernel distance",
                "Difference of the first three moments, as a cubic kernel sees them (KID).",
            ),
            direction="lower",
            definition="MMD² of the kernel (⟨x,y⟩/d + 1)³ over all pairs (KID)",
            source="Gretton et al. 2012; Bińkowski et al. 2018",
            interval=CLOSED_OF_MOMENTS,
        ),
        of_kernels(
            name="mmd_gaussian",
            label=Label(
                "MMD², Gaussian",
                "divergence",
                "squared kernel distance",
                "Difference of the two densities, smoothed by a Gaussian kernel.",
            ),
            direction="lower",
            definition="MMD² of the kernel exp(−‖x−y‖²/2σ²), σ the median distance of human rows",
            source="Gretton et al. 2012; Jayasumana et al. 2024",
            interval=CLOSED,
        ),
        of_kernels(
            name="energy_distance",
            label=Label(
                "Energy distance",
                "divergence",
                "distance",
                "How much further apart rows of different sets are than rows of the same set.",
            ),
            direction="lower",
            definition="2E‖x−y‖ − E‖x−x′‖ − E‖y−y′‖ over all pairs",
            source="Székely & Rizzo 2013",
            interval=CLOSED,
        ),
        of_kernels(
            name="energy_coefficient",
            label=Label(
                "Energy coefficient",
                "divergence",
                "share of the largest possible",
                "The energy distance in units of the largest that such distances allow: 0 for one "
                "distribution, 1 for two points.",
            ),
            direction="lower",
            definition="the energy distance over 2E‖x−y‖",
            source="Székely & Rizzo 2013",
            interval=CLOSED,
        ),
        of_moments(
            name="total_variance",
            label=Label(
                "Total variance",
                "spread",
                "squared distance",
                "Sum of the variances of all columns.",
            ),
            direction="match",
            definition="sum of the variances of all columns of Y",
            source="the trace of its covariance",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        of_moments(
            name="effective_rank",
            label=Label(
                "Effective rank",
                "spread",
                "dimensions",
                "How many directions carry the variance, by the entropy of the spectrum.",
            ),
            direction="match",
            definition="exp of the entropy of the covariance's eigenvalues",
            source="Roy & Vetterli 2007",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        of_moments(
            name="participation_ratio",
            label=Label(
                "Participation ratio",
                "spread",
                "dimensions",
                "How many directions carry the variance, large ones weighted more.",
            ),
            direction="match",
            definition="(Σλ)²/Σλ² of the covariance's eigenvalues",
            source="Bell & Dean 1970",
            null="that of B",
            interval=OF_MOMENTS,
        ),
        Metric(
            name="sliced_wasserstein",
            label=Label(
                "Sliced Wasserstein distance",
                "divergence",
                "distance",
                "How far rows must be moved along a direction to make one set of the other, over "
                "many directions.",
            ),
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
            name="probe_auc",
            label=Label(
                "AUC of a probe",
                "divergence",
                "probability",
                "How often a linear classifier gives a candidate row a larger score than a "
                "reference row, neither of which it has seen.",
            ),
            direction="lower",
            family=LinearProbe,
            definition="share of pairs of a row of X and of Y in which that of Y has the larger "
            "score of a cross-fitted logistic regression, ties half",
            source="Lopez-Paz & Oquab 2017",
            null="1/2 exactly, whatever the distribution",
            interval=IntervalMethod(
                "closed variance",
                "DeLong's, times one plus the share of the probes that is noise, on the logit "
                "scale; that of the null twice Mann & Whitney's, as folds share the models' noise",
            ),
            cost="linear in rows",
            work="some hundred passes over 2h rows of d columns for each of 5 folds",
            memory="2h rows, standardised",
        ),
        Metric(
            name="authenticity",
            label=Label(
                "Authenticity",
                "fidelity",
                "share of candidate rows",
                "Candidate rows farther from their nearest reference row than that is from its own "
                "neighbour. Below the null, the candidate copies the reference.",
            ),
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
            label=Label(
                "Vendi score",
                "spread",
                "rows",
                "How many rows of different directions the candidate amounts to.",
            ),
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
            label=Label(
                "Kullback–Leibler divergence",
                "divergence",
                "nats",
                "How much denser the candidate lies where it lies than the reference does, from "
                "nearest neighbours.",
            ),
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
            label=Label(
                "Jensen–Shannon divergence",
                "divergence",
                "nats",
                "How well a row tells which set it is from, from nearest neighbours: 0 not at all, "
                "ln 2 always.",
            ),
            direction="lower",
            family=KnnJensenShannon,
            definition="½KL(X‖M) + ½KL(Y‖M), M their equal mixture, from rows in k-th balls, "
            "adjusted for chance; up to ln 2",
            source="after Ross 2014; Vinh et al. 2010",
            null="near 0 on either side",
            interval=IntervalMethod(
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
            label=Label(
                "MAUVE",
                "fidelity",
                "area, up to 1",
                "How little is to be found in one set and not in the other, over clusters of both.",
            ),
            direction="higher",
            family=Mauve,
            definition="area under the frontier of KL divergences from mixtures (scaling 5), over "
            "max(2, min(n, m)/10) clusters of the pooled rows",
            source="Pillutla et al. 2021",
            null="below 1: clusters of some ten rows differ by chance",
            interval=IntervalMethod(
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
            label=Label(
                "Fréchet distance, extrapolated",
                "divergence",
                "squared distance",
                "The Fréchet distance that infinitely many rows would show.",
            ),
            direction="lower",
            definition="Fréchet distance on a line through all rows and their halves, at 1/n = 0",
            source="Chong & Forsyth 2020",
            null="near 0 on either side: the bias of order 1/n is taken off",
            interval=OF_LIMIT,
        ),
    )
}
"""All metrics, in the order of the frame."""

LABELS: dict[str, Label] = {name: metric.label for name, metric in METRICS.items()}
"""What each metric is called, which pages and charts are handed."""
