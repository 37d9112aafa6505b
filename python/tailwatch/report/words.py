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
    "counted",
    "describe",
    "in_sentence",
    "percent",
    "power_of_ten",
    "spaced",
    "with_interval",
    "write",
    "written_q",
    "written_share",
    "written_shares",
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


# Names of people keep their capital within a sentence.
_PROPER = re.compile(
    "Fréchet|Gini|Hellinger|Hill|Jensen|Kolmogorov|Kullback|Vendi|Wasserstein|Zipf|[A-Z]{2}"
)


def in_sentence(name: str) -> str:
    """Return the name of a metric as it stands within a sentence: ``total variance``."""
    return name if _PROPER.match(name) else name[:1].lower() + name[1:]


#: What stands where there is no number.
ABSENT = "–"

MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Outside of this range a fixed-point number is a row of zeros; a power of ten reads better.
_SMALLEST, _LARGEST = 1e-3, 1e6
# Below this, the usual places would leave a single digit or none.
_FINE = 1e-2
_TENTH, _THOUSANDTH = 0.1, 1e-3
# Which of two q-values below it is smaller changes nothing for anybody.
_LEAST_Q = 1e-4
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
        more, so that the largest of the three has two digits at least. A value and both ends get
        the same, but for 0, which is exact and has none.
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
        decimals = max(0, places + finer - max(0, exponent), 1 - exponent if magnitude else 0)

    def text(part: float | None, sign: str = "") -> str:
        if part is None:
            return ABSENT
        if math.isnan(part):
            return "undefined"
        if math.isinf(part):
            return "∞" if part > 0 else f"{MINUS}∞"
        return _fixed(part / scale, decimals, sign)

    scaled = number.value is not None and math.isfinite(number.value) and number.value != 0
    interval = None
    if number.has_interval:
        interval = f"[{text(number.low)}, {text(number.high)}]{suffix}"
    return Written(text(number.value, "+" if signed else "") + (suffix if scaled else ""), interval)


def count(number: int) -> str:
    """Write a number of rows, thousands set apart by a narrow space."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def power_of_ten(exponent: int) -> str:
    """Write a power of ten, such as ``10⁻⁵``."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def percent(part: float) -> str:
    """Write a share such as 0.05 as a percentage, ``5 %``."""
    return f"{100 * part:.4g}{NARROW_SPACE}%"


def with_interval(
    value: float | None, low: float | None, high: float | None, *, places: int = 3
) -> str:
    """Write a value with its interval, as in a sentence: ``0.812 [0.364, 1.810]``."""
    written = write(Number(value, low, high), places=places)
    return f"{written.value} {written.interval or '(no interval)'}"


def written_share(part: float | None) -> str:
    """Write a share to a hundredth of a percent, from 10 % on to a tenth."""
    return written_shares(Number(part)).value


def written_shares(number: Number) -> Written:
    """Write a share with its interval in percent, as :func:`write` would.

    Parameters
    ----------
    number
        What to write: a value and both ends get as many places as suit the largest of them.

    Returns
    -------
    Written
        ``7.18 %`` and ``[5.02 %, 9.61 %]``.
    """
    numbers = (number.value, number.low, number.high)
    largest = max((abs(n) for n in numbers if n is not None and math.isfinite(n)), default=0.0)
    places = 1 if largest >= _TENTH else 2
    if 0 < largest < _THOUSANDTH:
        places = min(-1 - math.floor(math.log10(largest)), 15)

    def text(part: float | None) -> str:
        if part is None or math.isnan(part):
            return ABSENT
        return f"{_fixed(100 * part, places)}{NARROW_SPACE}%"

    interval = f"[{text(number.low)}, {text(number.high)}]" if number.has_interval else None
    return Written(text(number.value), interval)


def written_q(q_value: float | None) -> str:
    """Write a q-value to two digits, and none where there was no test."""
    if q_value is None:
        return ABSENT
    if q_value < _LEAST_Q:
        return f"< {_LEAST_Q:.4f}"
    return f"{q_value:.2f}" if q_value >= _TENTH else f"{q_value:.2g}"


def counted(number: int, one: str, several: str = "") -> str:
    """Write a number of things, in the singular of one: ``1 class``, ``2 classes``.

    Parameters
    ----------
    number
        How many.
    one, several
        What they are called; without `several`, an s makes it.
    """
    return f"{count(number)} {one if number == 1 else several or f'{one}s'}"


def _fixed(number: float, decimals: int, sign: str = "") -> str:
    """Write a number to so many places, thousands apart; 0 is exact and has none."""
    if number == 0:
        return "0"
    written = f"{number:{sign}z,.{decimals}f}"
    return written.replace(",", NARROW_SPACE).replace("-", MINUS)


def spaced(text: str) -> str:
    """Write the numbers in a text as the page writes them: 12 345 for 12,345."""
    return _THOUSANDS.sub(NARROW_SPACE, text)
