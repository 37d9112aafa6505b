"""Metrics and numbers in words: what each is called and means, and numbers with their intervals."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ABSENT",
    "CLASS_TERMS",
    "MINUS",
    "NARROW_SPACE",
    "TERMS",
    "Group",
    "Label",
    "Number",
    "Written",
    "count",
    "describe",
    "percent",
    "power_of_ten",
    "spaced",
    "write",
    "written_interval",
    "written_share",
]

Group = Literal["tails", "fidelity", "spread", "divergence"]


@dataclass(frozen=True, slots=True)
class Label:
    """How a metric is spoken of.

    Attributes
    ----------
    name
        What it is called.
    group
        Where it stands on a page.
    unit
        What its value counts.
    meaning
        What it measures, in a sentence or two.
    """

    name: str
    group: Group
    unit: str
    meaning: str


#: The words that all rows of the table share.
TERMS: dict[str, str] = {
    "Value": (
        "The metric between one half of the reference and the candidate, cut to the same number "
        "of rows."
    ),
    "Null": (
        "The same metric between the two halves of the reference: what a fresh sample would score, "
        "had nothing happened."
    ),
    "Retention": (
        "Value ÷ null: 1 is what a fresh sample of the reference scores, 0 is all lost. For "
        "divergences, (value − null) in standard errors of the null (SE): 0 is no further than a "
        "fresh sample."
    ),
    "Tail": "The rarest share of the reference rows: those furthest from their k-th neighbour.",
    "All rows": "The metric on all rows of both sets, which is the number that papers quote.",
}

#: The words that the table of a comparison by class has besides.
CLASS_TERMS: dict[str, str] = {
    "Tails": (
        "Lost or widened where q is at most 1 − confidence. Absent: no candidate row. New: no "
        "reference row."
    ),
    "q": (
        "The smallest share of classes called lost or widened by chance, at which this one is "
        "called so too (Benjamini–Hochberg over the p-values of all classes)."
    ),
    "Which number decides": (
        "The tail odds ratio on all rows of a class, by Fisher's exact test; without it, the "
        "retention of another tail metric by its interval."
    ),
    "Retention": TERMS["Retention"],
    "Tail": TERMS["Tail"],
}


def describe(metric: str, labels: Mapping[str, Label]) -> Label:
    """Return the label of a metric, or a plain one made from its name if there is none."""
    plain = metric.replace("_", " ").capitalize()
    return labels.get(metric, Label(plain, "fidelity", "", ""))


#: What stands where there is no number.
ABSENT = "–"

MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Outside of this range a fixed-point number is a row of zeros; a power of ten reads better.
_SMALLEST, _LARGEST = 1e-3, 1e6
# Below this, the usual places would leave a single digit or none.
_FINE = 1e-2
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
# The smallest power of ten that a float can divide by without loss.
_LEAST_EXPONENT = -307


@dataclass(frozen=True, slots=True)
class Number:
    """A value with the ends of its interval, any of which may be missing."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def has_interval(self) -> bool:
        """Whether both ends are numbers (an end may be infinite)."""
        return all(end is not None and not math.isnan(end) for end in (self.low, self.high))


@dataclass(frozen=True, slots=True)
class Written:
    """A number as text; `interval` is None when there is none."""

    value: str
    interval: str | None


def write(number: Number, *, places: int = 3, signed: bool = False) -> Written:
    """Write a number with its interval.

    Parameters
    ----------
    number
        What to write.
    places
        Decimal places for numbers between 0.01 and 10; larger numbers get fewer, smaller ones
        more, and a value and both ends get the same.
    signed
        Whether a positive value carries a plus sign.

    Returns
    -------
    Written
        ``0.07`` and ``[0.04, 0.12]``, or ``1.20 × 10⁻⁵`` and ``[0.90, 1.50] × 10⁻⁵``.
    """
    numbers = (number.value, number.low, number.high)
    magnitude = max((abs(n) for n in numbers if n is not None and math.isfinite(n)), default=0.0)
    exponent = max(math.floor(math.log10(magnitude)), _LEAST_EXPONENT) if magnitude else 0
    scale, suffix = 1.0, ""
    if magnitude and not _SMALLEST <= magnitude < _LARGEST:
        scale, suffix = 10.0**exponent, f" × {power_of_ten(exponent)}"
        decimals = 2
    else:
        finer = -1 - exponent if 0 < magnitude < _FINE else 0
        decimals = max(0, places + finer - max(0, exponent))

    def text(part: float | None, sign: str = "") -> str:
        if part is None:
            return ABSENT
        if math.isnan(part):
            return "undefined"
        if math.isinf(part):
            return "∞" if part > 0 else f"{MINUS}∞"
        written = f"{part / scale:{sign}z,.{decimals}f}"
        return written.replace(",", NARROW_SPACE).replace("-", MINUS)

    finite = number.value is not None and math.isfinite(number.value)
    interval = None
    if number.has_interval:
        interval = f"[{text(number.low)}, {text(number.high)}]{suffix}"
    return Written(text(number.value, "+" if signed else "") + (suffix if finite else ""), interval)


def count(number: int) -> str:
    """Write a number of rows, thousands set apart by a narrow space."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def power_of_ten(exponent: int) -> str:
    """Write a power of ten, such as ``10⁻⁵``."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def percent(part: float) -> str:
    """Write a share such as 0.05 as a percentage, ``5 %``."""
    return f"{100 * part:.4g}{NARROW_SPACE}%"


def written_share(part: float | None) -> str:
    """Write a share to a hundredth of a percent, from 10 % on to a tenth."""
    if part is None:
        return ABSENT
    return f"{100 * part:.{1 if part >= 0.1 else 2}f}{NARROW_SPACE}%"


def written_interval(low: float | None, high: float | None) -> str:
    """Write an interval of shares."""
    return (
        ABSENT if low is None or high is None else f"[{written_share(low)}, {written_share(high)}]"
    )


def spaced(text: str) -> str:
    """Write the numbers in a text as the page writes them: 12 345 for 12,345."""
    return _THOUSANDS.sub(NARROW_SPACE, text)
