"""Dependencies point one way: kernels <- core <- binding <- package, and `unsafe` stays below."""

from __future__ import annotations

import ast
import graphlib
import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "tailwatch"
TESTS = ROOT / "tests"

# Crate -> crates of this workspace that it may name.
CRATES = {
    "kernels": set(),
    "core": {"tailwatch-kernels"},
    "io": {"tailwatch-core"},
    "python": {"tailwatch-core", "tailwatch-io"},
}
# What ties a crate to an interpreter; only the binding may.
PYTHON_CRATES = {"numpy", "pyo3", "pyo3-arrow", "pyo3-ffi"}
# Parts of the package that may call the extension.
CALLERS = {"io", "comparison", "contamination", "embeddings", "metrics"}
# Parts that use the package as its users do, through its public names.
USERS = {"__main__", "cli", "demo"}


def manifest_of(crate: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "rust" / crate / "Cargo.toml").read_text())


def dependencies(table: dict[str, Any]) -> set[str]:
    """Names of the packages in every dependency table, whatever they are called locally."""
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    names = {
        entry.get("package", name) if isinstance(entry, dict) else name
        for kind in kinds
        for name, entry in table.get(kind, {}).items()
    }
    return names.union(*(dependencies(target) for target in table.get("target", {}).values()))


def part_of(path: Path) -> str:
    """First-level module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(source: str) -> set[str]:
    """Full dotted names that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def files_importing(name: str) -> set[str]:
    """Parts of the package that import `name` or something in it."""
    return {
        part_of(path)
        for path in PACKAGE.rglob("*.py")
        if any(f"{found}.".startswith(f"{name}.") for found in imports(path.read_text()))
    }


def check_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    """Hold the contract of pyproject.toml against the package that lies in `directory`."""
    lint_imports = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [lint_imports, "--config", ROOT / "pyproject.toml", "--no-cache", "--no-logo"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_crate_has_its_place() -> None:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
    assert set(workspace["members"]) == {f"rust/{crate}" for crate in CRATES}


@pytest.mark.parametrize("crate", CRATES)
def test_crates_depend_downward(crate: str) -> None:
    names = dependencies(manifest_of(crate))
    assert {name for name in names if name.startswith("tailwatch")} == CRATES[crate]


@pytest.mark.parametrize("crate", ["kernels", "core", "io"])
def test_algorithms_know_no_python(crate: str) -> None:
    assert not dependencies(manifest_of(crate)) & PYTHON_CRATES


def test_dependency_tables_are_all_read() -> None:
    table = tomllib.loads(
        """
        [dependencies]
        a = "1"
        renamed = { version = "1", package = "b" }
        [dev-dependencies]
        c.workspace = true
        [target.'cfg(unix)'.build-dependencies]
        d = "1"
        """
    )
    assert dependencies(table) == {"a", "b", "c", "d"}


@pytest.mark.parametrize("crate", ["core", "io", "python"])
def test_unsafe_is_forbidden_above_the_kernels(crate: str) -> None:
    root = (ROOT / "rust" / crate / "src" / "lib.rs").read_text()
    assert re.search(r"^#!\[forbid\([^)]*\bunsafe_code\b[^)]*\)\]", root, re.MULTILINE)


@pytest.mark.parametrize("crate", CRATES)
def test_crates_obey_the_workspace_lints(crate: str) -> None:
    assert manifest_of(crate)["lints"] == {"workspace": True}


def test_only_the_arithmetic_calls_the_extension() -> None:
    assert "metrics" in files_importing("tailwatch._core")
    assert files_importing("tailwatch._core") <= CALLERS


def test_the_package_does_not_import_its_own_public_names() -> None:
    # import-linter cannot see this: for it, everything below the root hangs on the root.
    modules = {f"tailwatch.{part_of(path)}" for path in PACKAGE.rglob("*.py")} | {"tailwatch._core"}
    offenders = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        if part_of(path) not in USERS | {"__init__"}
        for name in imports(path.read_text())
        if name == "tailwatch" or name.startswith("tailwatch.")
        if ".".join(name.split(".")[:2]) not in modules
    }
    assert not offenders


def test_the_import_contract_holds() -> None:
    result = check_imports(ROOT / "python")
    assert result.returncode == 0, result.stdout


FORBIDDEN = (
    ("metrics/__init__.py", "tailwatch.comparison.compare"),
    ("metrics/__init__.py", "tailwatch.report"),
    ("report/__init__.py", "tailwatch.contamination"),
    ("report/__init__.py", "tailwatch.embeddings"),
    ("report/__init__.py", "tailwatch.metrics"),
    ("embeddings.py", "tailwatch.metrics"),
    ("comparison/compare.py", "tailwatch.cli"),
    ("exceptions.py", "tailwatch.io"),
)


def test_the_import_contract_can_fail(tmp_path: Path) -> None:
    package = tmp_path / "tailwatch"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for module, forbidden in FORBIDDEN:
        with (package / module).open("a") as file:
            file.write(f"\nimport {forbidden}\n")
    result = check_imports(tmp_path)
    assert result.returncode == 1
    for module, forbidden in FORBIDDEN:
        name = ".".join(["tailwatch", *Path(module).with_suffix("").parts])
        assert f"{name.removesuffix('.__init__')} -> {forbidden}" in result.stdout


def modules() -> dict[str, Path]:
    """All modules of the package by name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: set[str]) -> set[str]:
    """Modules that a file imports anywhere: at its head, in a function, or for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a module; what is no Python file is the extension.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & known) or ({node.module} if "_core" not in str(names) else set())
    return found & known


def test_no_file_takes_part_in_a_circle_of_imports() -> None:
    files = modules()
    assert len(files) > 100
    graph = {name: imported(path, set(files)) - {name} for name, path in files.items()}
    # Raises CycleError, which shows the circle.
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert len(order) == len(files)


# Names that `lib.rs` gives again, and the modules that they are of.
AGAIN = {
    "Chunk": "rows",
    "Control": "control",
    "Error": "error",
    "Progress": "control",
    "Result": "error",
    "Rows": "rows",
    "Subsets": "subsets",
}


def test_rust_modules_use_only_those_before_them() -> None:
    source = ROOT / "rust" / "core" / "src"
    library = (source / "lib.rs").read_text()
    listed = library[library.index("//! Levels of modules") : library.index("which runs")]
    order = re.findall(r"`(\w+)`", listed)
    assert sorted(order) == sorted(
        re.findall(r"^pub(?:\(crate\))? mod (\w+);", library, re.MULTILINE)
    )
    for path in source.rglob("*.rs"):
        module = path.relative_to(source).parts[0].removesuffix(".rs")
        if module == "lib" or path.stem in {"tests", "exactness"}:
            continue
        code = re.sub(r"//.*", "", path.read_text().partition("#[cfg(test)]\nmod tests {")[0])
        named = re.findall(r"\bcrate::(\w+|\{[^}]*\})", code)
        used = {AGAIN.get(word, word) for name in named for word in re.findall(r"\w+", name)}
        allowed = set(order[: order.index(module) + 1])
        assert not used & set(order) - allowed, path


def test_what_benches_and_examples_take_from_the_package_is_there() -> None:
    # No test runs them all: a name that has gone would be noticed when a table is made anew.
    missing = []
    for path in [*(ROOT / "benches").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if node.module.split(".")[0] == "tailwatch":
                module = importlib.import_module(node.module)
                names = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                missing += [
                    f"{path.relative_to(ROOT)}: {node.module}.{name}"
                    for name in names
                    if not hasattr(module, "__path__")
                    or importlib.util.find_spec(f"{node.module}.{name}") is None
                ]
    assert missing == []


def test_make_runs_every_folder_of_tests() -> None:
    named = set(re.findall(r"tests/(\w+)", (ROOT / "Makefile").read_text()))
    listed = re.search(r"addprefix tests/,([\w ]+)\)", (ROOT / "Makefile").read_text())
    assert listed is not None
    named |= set(listed[1].split())
    assert {path.parent.name for path in TESTS.rglob("test_*.py")} <= named


def test_what_tests_share_is_in_a_room_of_its_own() -> None:
    # A test module may name itself, for a child process of its own to import.
    for path in TESTS.rglob("*.py"):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        source = path.read_text()
        named = {name for name in imports(source) if name.startswith("tests.")}
        # Those in code for a child process too.
        named |= set(re.findall(r"\btests(?:\.\w+)+", source))
        assert not {name for name in named if ".test_" in name and not name.startswith(own)}, own
        if own.startswith("tests.support."):
            assert all(name.startswith("tests.support") for name in named), own


@pytest.mark.parametrize(
    "package",
    [
        path
        for path in sorted(PACKAGE.rglob("__init__.py"))
        if len(list(path.parent.glob("*.py"))) > 1
    ],
    ids=lambda path: str(path.parent.relative_to(PACKAGE)),
)
def test_a_package_names_its_rooms(package: Path) -> None:
    words = ast.get_docstring(ast.parse(package.read_text())) or ""
    rooms = [path.stem for path in package.parent.glob("*.py") if not path.stem.startswith("__")]
    assert [room for room in rooms if not re.search(rf"[`.]{room}`", words)] == []
