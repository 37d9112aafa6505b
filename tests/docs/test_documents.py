"""What the documents tell a reader to run does run, and what they link to exists."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tailwatch.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))
PAGES = [*DOCUMENTS, *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]

PYTHON_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)")
IMAGE = re.compile(r"""\b(?:src|srcset)=["'](?!https?:|data:)(?P<path>[^"']+)""")
CODE = re.compile(r"```\w*\n(?P<block>.*?)```|`(?P<line>[^`\n]+)`", re.DOTALL)
OURS = re.compile(
    r"(?<![\w/.])(?:python|rust|tests|benches|docs|examples|\.ci)/[\w./*-]*[\w*]"
    r"|(?<![\w/.-])[A-Z]\w+\.(?:md|toml)\b"
)
MODULE = re.compile(r"python -m (?P<module>(?:benches|tailwatch|tests)[\w.]*)")
COMMAND = re.compile(r"(?:^|(?<!import)\s)tailwatch (?P<command>[a-z][a-z-]+)\b")
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


def code_of(page: str) -> list[str]:
    """Return what a page sets as code."""
    return [match["block"] or match["line"] for match in CODE.finditer((ROOT / page).read_text())]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_ours_that_is_named_exists(page: str) -> None:
    named = {path for code in code_of(page) for path in OURS.findall(code)}
    assert not {path for path in named if not any(ROOT.glob(path))}


def test_every_command_that_is_named_exists() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    code = [code for page in PAGES for code in code_of(page)]
    modules = {match["module"] for each in code for match in MODULE.finditer(each)}
    commands = {match["command"] for each in code for match in COMMAND.finditer(each)}
    assert len(modules) > 5
    assert len(commands) > 5
    assert not {module for module in modules if find_spec(module) is None}
    assert not commands - known
