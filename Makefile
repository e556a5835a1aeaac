# Encore: two commands on a fresh machine: `make bench` and `make test`. Either works first; a second call installs nothing.
# TORCH_PIP_ARGS chooses torch's build, for example: make setup TORCH_PIP_ARGS="--index-url <the CPU or CUDA index>"
VENV ?= .venv
PYTHON ?= python3
TORCH_PIP_ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.encore-ready
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.PHONY: help setup bench test lint faults mutants gpu-check published clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(STAMP) ## make the environment .venv (nothing to do if it is there)

$(STAMP): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Encore needs Python 3.11 or newer; choose one with: make setup PYTHON=python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing torch (choose its build with TORCH_PIP_ARGS), then the rest ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH_PIP_ARGS) $(shell grep '^torch==' requirements.txt)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt -c constraints.txt; then :; \
	else echo "uv could not do it; plain pip goes on"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt; fi
	@touch $(STAMP)

bench: $(STAMP) ## run the quickstart suite and write its report (HTML and PDF)
	@$(BIN)/python benchmark.py run quickstart --jobs 2

test: $(STAMP) ## run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup

lint: $(STAMP) ## check style, types of docstrings and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

mutants: $(STAMP) ## plant 400 faults, one at a time, and count those that the tests notice (an hour; see docs/testing.md)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-mutants.txt
	@$(BIN)/python -m tests.mutants

faults: $(STAMP) ## try the store under faults: damages, kills, misbehaving models; writes docs/reliability.md (minutes)
	@$(BIN)/python -m tests.faults

published: $(STAMP) ## draw published/ again from its bundles: the table of all verdicts, the site, reports
	@$(BIN)/python -m reports.site.published

GPU_DATA = $(or $(DATA),$(ENCORE_DATA))
gpu-check: $(STAMP) ## check a machine with a GPU in at most 8 minutes: tests, bits, ranks, speed (DATA=FOLDER for real data)
	@$(BIN)/python -m speed.gpu_check $(if $(GPU_DATA),--data $(GPU_DATA))

clean: ## remove the environment and caches; results/ stays
	rm -rf $(VENV) mutants .pytest_cache .ruff_cache .hypothesis && find . -name __pycache__ -type d -prune -exec rm -rf {} +
