"""What the documents tell a reader to run does run, and what they link to exists."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))

PYTHON_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)")
IMAGE = re.compile(r"""\b(?:src|srcset)=["'](?!https?:|data:)(?P<path>[^"']+)""")
MAKE = re.compile(r"`make (?P<target>[a-z-]+)|^make (?P<line>[a-z-]+)", re.MULTILINE)


def python_of(document: Path) -> str:
    """Return all Python blocks of a document as one program with the document's line numbers."""
    text = document.read_text()
    program = ""
    for block in PYTHON_BLOCK.finditer(text):
        first_line = text.count("\n", 0, block.start("code"))
        program += "\n" * (first_line - program.count("\n")) + block["code"]
    return program


def test_blocks_keep_their_line_numbers(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("\n```python\na = 1\n```\ntext\n```sh\nb\n```\n```python\nc = a\n```\n")
    assert python_of(document) == "\n\na = 1\n\n\n\n\n\n\nc = a\n"


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    human = rng.standard_normal((400, 8), dtype=np.float32)
    np.save(tmp_path / "human.npy", human)
    np.save(tmp_path / "synthetic.npy", 0.8 * rng.standard_normal((400, 8), dtype=np.float32))
    monkeypatch.chdir(tmp_path)

    program = python_of(ROOT / "README.md")
    assert "import tailwatch as tw" in program
    exec(compile(program, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    paths = {match["path"] for pattern in (LINK, IMAGE) for match in pattern.finditer(text)}
    assert not {path for path in paths if not (ROOT / path).exists()}


def test_every_make_target_that_is_named_exists() -> None:
    rules = (ROOT / "Makefile").read_text()
    named = {
        match["target"] or match["line"]
        for name in DOCUMENTS
        for match in MAKE.finditer((ROOT / name).read_text())
    }
    assert named
    assert not {target for target in named if not re.search(rf"^{target}:", rules, re.MULTILINE)}
