# Needs Python 3.11 or newer, a Rust toolchain, make, and nothing else; all that is made goes into
# .venv and target. `make PYTHON=python3.13` chooses the interpreter of a new .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Installing is one thing after the other; checks may run side by side.
ifndef TOGETHER
.NOTPARALLEL:
endif
.PHONY: help demo test test-core test-fast lint bench bench-rivals bench-rust docs build ready crates clean
MAKEFLAGS += --no-print-directory

VENV   := .venv
BIN    := $(VENV)/bin
# Files are compiled when they are imported: of torch and what it brings most never are.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile
STAMPS := $(VENV)/.stamps
# The package in .venv, with the tools for tests and checks, and with YOLO26 too.
WITH_TOOLS := $(STAMPS)/dev $(STAMPS)/package
WITH_YOLO := $(WITH_TOOLS) $(STAMPS)/yolo
RUST   := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock rust-toolchain.toml

# A log is better off without a line per compiled crate; a person wants to see that something moves.
QUIET := $(if $(CI),--quiet)

define needs_cargo
	@command -v cargo > /dev/null || { echo 'cargo was not found: install Rust, see rust-toolchain.toml' >&2; exit 1; }
endef

# Tests start hundreds of processes: each would compile the package again if none kept what it did.
export PYTHONDONTWRITEBYTECODE :=

# Both builds of PyO3, maturin's and clippy's, are to see the same interpreter.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMPS)/package  ## run the main job on real data and write a report
	@$(BIN)/tailwatch demo

test: $(WITH_YOLO)  ## run every test: Rust, Python, doctests, README
	$(call tests,tests/yolo $(CORE))

test-core: $(WITH_TOOLS)  ## run every test that needs no torch
	$(call tests,$(CORE))

test-fast: $(WITH_TOOLS)  ## run the tests of single modules, a minute or two
	@$(BIN)/python -m pytest $(TWO_WORKERS) tests/unit

bench: $(WITH_YOLO)  ## time the metrics at small sizes, and check that peers agree
	@$(BIN)/python -m pytest benches $(BENCH)

bench-rivals: $(WITH_TOOLS)  ## race the installed peers at full sizes; writes the README's table
	@$(BIN)/python -m benches.rivals --resume
	@$(BIN)/python -m benches.speed_table

bench-rust:  ## time the kernels
	@cargo bench --locked --package tailwatch-kernels

docs: demo  ## put the demo's table and picture into the README
	@$(BIN)/python benches/refresh_readme.py tailwatch-demo

build: $(STAMPS)/package  ## build the extension and install the package into .venv
	@echo "build: $$($(BIN)/tailwatch --version) is installed in $(VENV)"

ready:  ## install and compile all that the other targets need, both at once
	@echo 'ready: packages come while crates compile (minutes the first time)'
	@TOGETHER=1 $(MAKE) --jobs=3 --output-sync=target crates $(STAMPS)/yolo
	@$(MAKE) $(WITH_YOLO)

clean:  ## remove all that make has made
	@rm -rf $(VENV) target dist tailwatch-demo .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find python tests benches -name __pycache__ -prune -exec rm -rf {} +
	@find python -name '_core.*.so' -delete
	@echo 'clean: done'

# --- tests ---------------------------------------------------------------------------------------

# Two workers, a file each at a time, since fixtures are those of a file, and the folders with long
# files first, so that neither waits for the other at the end.
TWO_WORKERS := --numprocesses 2 --dist loadfile --no-loadscope-reorder
CORE := $(addprefix tests/,contract reference property fuzz docs unit)

define tests
	@echo '== Rust'
	@cargo test --workspace --release --locked --quiet
	@echo '== Python'
	@$(BIN)/python -m pytest $(TWO_WORKERS) $(1)
	@echo '== Python: time and signals'
	@$(BIN)/python -m pytest tests/alone
endef

# The extension is made of the same crates, but for those that bind it to Python.
crates:
	$(call needs_cargo)
	@echo 'compiling the crates and their tests (minutes the first time)'
	@cargo test --workspace --release --locked --no-run $(QUIET)

# --- lint ----------------------------------------------------------------------------------------

LINTS := $(addprefix lint-,rustfmt clippy deny ruff format mypy stubtest imports)
.PHONY: $(LINTS)

lint: $(WITH_TOOLS)  ## check formats, lints, types, layers and licences
	@TOGETHER=1 $(MAKE) --jobs=2 --output-sync=target --keep-going $(LINTS)
	@echo 'lint: all checks passed'

# check(name, command): one line when all is well, the tool's own words when not.
define check
	@printf '  %-9s' '$(1)'; \
	if report=$$($(2) 2>&1); then echo ok; else echo FAILED; printf '%s\n' "$$report"; exit 1; fi
endef

lint-rustfmt:
	$(call check,rustfmt,cargo fmt --all --check -- -l)

lint-clippy: $(WITH_TOOLS)
	$(call check,clippy,cargo clippy --workspace --all-targets --release --locked --quiet -- -D warnings)

# Advisories change from day to day and need the network: CONTRIBUTING.md says when to look at them.
lint-deny:
ifneq ($(shell command -v cargo-deny),)
	$(call check,deny,cargo deny --locked check licenses bans sources)
else
	@echo '  deny     NOT RUN: cargo-deny is not installed (cargo install cargo-deny)'
endif

lint-ruff: $(WITH_TOOLS)
	$(call check,ruff,$(BIN)/ruff check)

lint-format: $(WITH_TOOLS)
	$(call check,format,$(BIN)/ruff format --check)

lint-mypy: $(WITH_TOOLS)
	$(call check,mypy,$(BIN)/mypy)

lint-stubtest: $(WITH_TOOLS)
	$(call check,stubtest,$(BIN)/stubtest --mypy-config-file pyproject.toml tailwatch._core)

lint-imports: $(WITH_TOOLS)
	$(call check,imports,$(BIN)/lint-imports --no-cache --no-logo)

# --- environment ---------------------------------------------------------------------------------

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; \
	  then echo "making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); fi; \
	done; \
	echo 'Python 3.11 or newer with its venv module was not found (Debian: apt-get install python3-venv)' >&2; \
	exit 1

$(STAMPS)/maturin: pyproject.toml | $(BIN)/python
	@mkdir -p $(STAMPS)
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(INSTALL) --requirement /dev/stdin
	@touch $@

$(STAMPS)/package: $(STAMPS)/maturin $(RUST)
	$(call needs_cargo)
	@echo 'building the extension (minutes the first time)'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --locked $(QUIET)
	@touch $@

# requirements(extra): what pyproject.toml says that the package and an extra bring; together, so
# that neither takes what the other cannot live with.
define requirements
	@$(BIN)/python -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*project["dependencies"], *project["optional-dependencies"]["$(1)"], sep="\n")' \
	  | $(INSTALL) --requirement /dev/stdin
endef

$(STAMPS)/dev: $(STAMPS)/maturin
	@echo 'installing the tools for tests and checks'
	$(call requirements,dev)
	@touch $@

$(STAMPS)/yolo: $(STAMPS)/dev
	@echo 'installing YOLO26 with its torch (6 GB, minutes the first time)'
	$(call requirements,yolo)
	@# A machine without a display may lack the libGL that opencv-python needs; its headless twin does not.
	@$(BIN)/python -c 'import cv2' 2> /dev/null || $(INSTALL) --force-reinstall --no-deps opencv-python-headless
	@touch $@
