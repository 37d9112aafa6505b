"""Modules show their public names, and help with the others."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import pytest

import tailwatch as tw

MODULES = ["tailwatch", "tailwatch.metrics", "tailwatch.recursion", "tailwatch.contamination"]
MODULES += ["tailwatch.yolo"] * (find_spec("ultralytics") is not None)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_alone_are_listed(name: str) -> None:
    module = importlib.import_module(name)
    assert dir(module) == sorted(module.__all__)
    for public in module.__all__:
        assert getattr(module, public) is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (
            "coverage",
            (
                "clipped_coverage or mode_coverage or precision_recall_density_coverage or "
                "tail_coverage"
            ),
        ),
        ("vendi", "vendi_score"),
        ("tail_tset", "tail_test"),
    ],
)
def test_a_name_that_is_not_there_says_which_may_have_been_meant(name: str, meant: str) -> None:
    said = f"module 'tailwatch.metrics' has no attribute '{name}'; did you mean {meant}\\?$"
    with pytest.raises(AttributeError, match=said):
        getattr(tw.metrics, name)


def test_a_name_like_no_other_is_only_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'tailwatch' has no attribute 'qqq'$"):
        tw.qqq  # noqa: B018
