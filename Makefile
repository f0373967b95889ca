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
	$(BIN)/python -m pratique.report.detonation_schema --check
	$(BIN)/python -m pratique.report.difference_schema --check
	$(BIN)/python -m pratique.report.trust_schema --check
	$(BIN)/python -m pratique.report.guard_schema --check
	$(BIN)/python -m scripts.make_rule_pages --check
	$(BIN)/python -m scripts.make_behaviour_page --check
	$(BIN)/python -m scripts.make_reference --check

generate: $(STAMP)
	$(BIN)/python -m pratique.readers.discovery
	$(BIN)/python -m pratique.incidents.index
	$(BIN)/python -m pratique.incidents.schema
	$(BIN)/python -m pratique.incidents.reference > docs/reference/incidents.md
	$(BIN)/python -m pratique.report.schema
	$(BIN)/python -m pratique.report.plan_schema
	$(BIN)/python -m pratique.report.reach_schema
	$(BIN)/python -m pratique.report.release_schema
	$(BIN)/python -m pratique.report.detonation_schema
	$(BIN)/python -m pratique.report.difference_schema
	$(BIN)/python -m pratique.report.trust_schema
	$(BIN)/python -m pratique.report.guard_schema
	$(BIN)/python -m scripts.make_picture
	$(BIN)/python -m tests.docs.pages
	$(BIN)/python -m scripts.make_rule_pages
	$(BIN)/python -m scripts.make_behaviour_page
	$(BIN)/python -m scripts.make_reference

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format src tests

dist: $(STAMP)
	$(BIN)/python -m scripts.make_dist

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis harbour

requirements-dev.txt: requirements-dev.in
	@echo "requirements-dev.in changed: run make requirements"

.PHONY: requirements
requirements:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header requirements-dev.in -o requirements-dev.txt
	sed -i '1i # Pinned with hashes. Made from requirements-dev.in by: make requirements' requirements-dev.txt
