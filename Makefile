.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
CDK_ARGS ?=
MINUTES ?= 1
PYTEST_ARGS ?= --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(f"Python 3.11 or later is needed, $(PYTHON) is {v[0]}.{v[1]}; set PYTHON=python3.11" if v < (3, 11) else 0)'
	@echo "installing the Python packages into $(VENV): about 2 GB, a minute or two"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@touch $@

node_modules/.ready: package.json package-lock.json | $(VENV)/.ready
	@echo "installing the CDK CLI into node_modules"
	@$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready node_modules/.ready ## Install everything into .venv and node_modules

.PHONY: demo
demo: setup ## Train, register, package, deploy to the local AWS and forecast (KEEP=1 leaves it running)
	@$(BIN)/python examples/demo.py $(if $(KEEP),--keep)

.PHONY: test
test: setup ## Run the tests, but for the slow ones
	@$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

.PHONY: test-all
test-all: setup ## Run all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: lint
lint: setup ## Check style, types and who imports whom
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports

.PHONY: synth
synth: setup ## Write the CloudFormation templates to cdk.out
	@cdk synth --quiet $(CDK_ARGS)

.PHONY: benchmark
benchmark: setup ## Time every stage of the main job
	@$(BIN)/python benchmarks/main_job.py

.PHONY: soak
soak: setup ## Serve for MINUTES=1 at 80 % of the capacity, with hostile requests
	@$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

.PHONY: clean
clean: ## Remove what was made, but neither the registry nor the lock
	@test ! -x $(BIN)/forecast || $(BIN)/forecast local down
	@rm -rf cdk.out .forecast .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
