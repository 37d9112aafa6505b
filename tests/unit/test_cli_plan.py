"""``tailwatch plan`` prints what the plan says, and errors that name the option."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tailwatch.cli import run
from tailwatch.recursion import theory

if TYPE_CHECKING:
    from pathlib import Path


def test_a_plan_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--size", "100", "--generations", "50"]) == 0
    captured = capsys.readouterr()
    assert not captured.out
    first = captured.err.splitlines()[0]
    assert first == (
        "Under replace, generation 50 is expected to keep 0.605 of the human variance; it falls to "
        "0.95 in generation 6."
    )
    assert "95 % of single runs" in captured.err
    assert str(theory.rows_for(0.95, 50)) in captured.err


def test_a_plan_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "--size", "40", "--policy", "mix:0.1,fresh"]
    assert run([*arguments, "--keep", "0.8", "--unbiased", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["arguments"]["ddof"] == 1
    assert found["arguments"]["generations"] == 20
    (last,) = (
        row
        for row in found["plan"]
        if (row["quantity"], row["generation"]) == ("variance_kept", 20)
    )
    expected = theory.fresh_real_variance(20, 40, 0.1, ddof=1)
    assert last["value"] == pytest.approx(float(expected))


def test_what_never_happens_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--size", "100", "--policy", "accumulate"]) == 0
    assert "it never falls to 0.95." in capsys.readouterr().err


def test_what_is_out_of_reach_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--size", "10"]) == 0
    assert "10 human rows alone keep 0.9" in capsys.readouterr().err


def test_long_runs_are_shown_in_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--size", "100", "--generations", "1000"]) == 0
    lines = capsys.readouterr().err.splitlines()
    shown = [line.split()[0] for line in lines if line.strip()[:1].isdigit()]
    assert shown[0] == "1"
    assert "1000" in shown
    assert len(shown) <= 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan"], "Missing option '--size'"),
        (["plan", "--size", "1"], "Invalid value for '--size'"),
        (["plan", "--size", "9", "--policy", "mix"], "--policy: expected mix:SHARE"),
        (["plan", "--size", "9", "--policy", "replaced"], "did you mean replace?"),
        (["plan", "--size", "9", "--policy", "fixed_real"], "or module:attribute, got 'fixed_re"),
        (["plan", "--size", "9", "--keep", "0"], "keep: expected a number between 0 and 1"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


OWN = """
class Halving:
    words = "Half of it each time."

    def compose(self, history, *, rng):
        return [history.samples[-1]]

    def variance_kept(self, generations, size, *, first=None, ddof=0):
        return 0.5**generations


class Broken(Halving):
    def variance_kept(self, generations, size, *, first=None, ddof=0):
        return None.real
"""


def test_a_policy_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policies_of_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *sys.path])
    monkeypatch.delitem(sys.modules, "policies_of_mine", raising=False)
    plan = ["plan", "--size", "9", "--generations", "4", "--policy"]
    assert run([*plan, "policies_of_mine:Halving", "--keep", "0.3", "--json"]) == 0
    told = capsys.readouterr()
    assert "Under halving, generation 4 is expected to keep 0.0625" in told.err
    assert "it falls to 0.3 in generation 2." in told.err
    assert json.loads(told.out)["arguments"]["policy"] == "halving"
    assert run([*plan, "policies_of_mine:Halving", "--keep", "0.01"]) == 0
    assert "it does not fall to 0.01 until then." in capsys.readouterr().err
    # What it raises is its own, and no defect of tailwatch.
    assert run([*plan, "policies_of_mine:Broken"]) == 2
    assert "--policy: policy.variance_kept raised AttributeError" in capsys.readouterr().err
