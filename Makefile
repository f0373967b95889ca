# One entry for everything. `make demo` and `make test` set up what they need on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
export PYTHONPATH := src:.

.PHONY: demo test check clients bench dist format generate clean

$(STAMP): pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python -m demo

test: $(STAMP) clients
	$(BIN)/python -m pytest -n 2

# Real package managers for the tests, below build/clients (600 MB, half a minute, once); says so where they cannot be had.
clients: $(STAMP)
	@$(BIN)/python -m tests.standins.real_clients
	@$(BIN)/python -m tests.standins.real_python_clients

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pratique.readers.discovery --check
	$(BIN)/python -m pratique.report.schema --check
	$(BIN)/python -m pratique.report.plan_schema --check
	$(BIN)/python -m pratique.report.reach_schema --check
	$(BIN)/python -m pratique.report.release_schema --check
	$(BIN)/python -m pratique.report.difference_schema --check
