# Needs Python 3.11 or later and make; everything else is set up here, in .venv.
PYTHON ?= python3
BIN := .venv/bin
# Quiet enough to hide remarks about indexes that lack a package; errors are shown.
PIP := $(BIN)/python -m pip install -qq --progress-bar off --disable-pip-version-check --no-input

.PHONY: help install demo test lint format docs bench lock clean

help:
	@echo "make demo      a simulated borough through the whole loop; says where the report is"
	@echo "make test      lint, types and every test"
	@echo "make install   .venv with every extra    make docs    the documentation, into docs/_build/html"
	@echo "make lint      format, lint and types    make bench   the whole-process benchmarks"
	@echo "make format    put the format right      make lock    requirements.lock anew    make clean"

install: .venv/.installed

# The stamp is written last, so an installation that was cut short is taken up again.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Peelian needs Python 3.11 or later; say which: make install PYTHON=python3.11"; exit 1; }
	@echo "Installing into .venv (some minutes the first time)"
	@$(PYTHON) -m venv .venv || \
	  { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	@$(BIN)/peelian demo --out demo

test: install lint
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: install
	@$(BIN)/ruff format --check --quiet . || { echo "Badly formatted: run make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --exit-zero .

docs: install
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: install
	@for name in help demo hounslow; do $(BIN)/python -m benchmarks $$name --json || exit 1; done

# Versions and hashes for every platform; no download address, so that each site uses its own index.
# Newer versions are taken only when asked for: make lock UPGRADE=--upgrade
lock: install
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet $(UPGRADE) --output-file requirements.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist demo docs/_build
