# Every target sets up .venv first, when it is missing or older than the lock.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run generate test check fresh conformance fuzz bench soak lock clean

help:  ## show this list
	@echo "make <target>; the first one to try is 'make run'"
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## create .venv with everything that development needs

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "migd needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 run" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "could not create $(VENV): install your system's venv package (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV) from requirements.lock (about a minute, once)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP)  ## start migd with the example capabilities: language identification and Markdown
	@$(BIN)/python examples/run.py

generate: $(STAMP)  ## regenerate generated/ and spec/SURFACE.txt from spec/
	@$(BIN)/mig-codegen generate

test: $(STAMP)  ## run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP)  ## lint, types, import contracts, breaking changes of the protocol
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mig-codegen check
	$(BIN)/mig-codegen breaking

fresh: $(STAMP)  ## prove that generated/ is what spec/ says: delete, regenerate twice, compare
	@tools/fresh

conformance: $(STAMP)  ## hold migd to the conformance suite on every binding, in open and jwt mode, and the suite to its mutants
	@tools/conformance
	@$(BIN)/python -m pytest tests/vectors tests/grpc/test_smoke.py tests/nats/test_smoke.py

fuzz: $(STAMP)  ## fuzz a running server by its schemas, and every decoder; bounded
	@$(BIN)/python -m pytest tests/fuzz --fuzz

bench: $(STAMP)  ## measure against bare floors: figure, floor, ratio
	@$(BIN)/python -m tools.bench

soak: $(STAMP)  ## a million mixed operations on one migd: anything unexpected, anything that grows
	@$(BIN)/python -m tools.soak

lock: $(STAMP)  ## compile requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --quiet -o requirements.lock pyproject.toml

clean:  ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
