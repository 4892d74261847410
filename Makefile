.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# Packages are installed uncompiled: without files for their bytecode every process would compile all
# that it imports again.
unexport PYTHONDONTWRITEBYTECODE
# Threads of a model that wait for one another give way to the processes beside them.
export OMP_WAIT_POLICY := passive
CDK_ARGS ?=
MINUTES ?= 1
ARGS ?=
PYTEST_ARGS ?= --numprocesses auto --dist loadfile --no-loadscope-reorder

# $(call needed,EXAMPLE): refuses a target whose variables, as in the example, are not all given.
needed = $(if $(filter-out $(foreach name,$(variables),$(if $($(name)),$(name))),$(variables)),$(error expected: make $(firstword $(MAKECMDGOALS)) $(1)))
variables = $(foreach word,$(1),$(firstword $(subst =, ,$(word))))

.PHONY: help
help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Build and try

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

.PHONY: docs
docs: setup ## Build the documentation into .forecast/site
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "open .forecast/site/index.html"

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

##@ Operate (FORECAST_CONFIG=other.yaml for another configuration; ARGS=--yes where a target asks)

.PHONY: register-models
register-models: setup ## Train the reference model and register it as @champion
	@$(BIN)/python examples/train.py

.PHONY: pipeline-train-full
pipeline-train-full: register-models ## [STAGE=dev]: train and register, then pin and pack for the stage
	@forecast resolve $(STAGE)
	@forecast package $(STAGE)
pipeline-train-full: STAGE ?= dev

# $(call with,PROFILE): what a command begins with whose credentials are of a profile of its own.
with = $(if $(1),AWS_PROFILE=$(1) )

# $(call deploy,STAGE,PROFILE). A deployment that was undone is looked at, too: it says which alarm fired.
define deploy
@$(call with,$(2))forecast deploy $(1) $(ARGS) || { failed=$$?; $(call with,$(2))forecast verify $(1); exit $$failed; }
@$(call with,$(2))forecast verify $(1)
endef

.PHONY: deploy-dev
deploy-dev: setup ## Deploy dev, and prove that it serves what was deployed; it asks before it removes or replaces anything
	$(call deploy,dev)

.PHONY: deploy-staging
deploy-staging: setup ## The same for staging
	$(call deploy,staging)

.PHONY: deploy-prod
deploy-prod: setup ## The same for prod
	$(call deploy,prod)

.PHONY: promote-model
promote-model: setup ## SOURCE_STAGE=staging TARGET_STAGE=prod [VERSION=16]: take over what was verified
	@: $(call needed,SOURCE_STAGE=staging TARGET_STAGE=prod)
	@$(call with,$(SOURCE_PROFILE))forecast promote $(VERSION) --from $(SOURCE_STAGE) --to $(TARGET_STAGE)

.PHONY: workflow-staging
workflow-staging: setup ## Everything from the alias to a verified staging
	@forecast resolve staging
	@forecast package staging
	@forecast preflight staging
	@forecast plan staging
	$(call deploy,staging)

.PHONY: workflow-prod
workflow-prod: promote-model ## [VERSION=16 SOURCE_PROFILE=… TARGET_PROFILE=…]: from a verified staging to a verified prod
	@$(call with,$(TARGET_PROFILE))forecast preflight $(TARGET_STAGE)
	@$(call with,$(TARGET_PROFILE))forecast plan $(TARGET_STAGE)
	$(call deploy,$(TARGET_STAGE),$(TARGET_PROFILE))
workflow-prod: SOURCE_STAGE ?= staging
workflow-prod: TARGET_STAGE ?= prod

.PHONY: list-endpoints
list-endpoints: setup ## What runs where
	@forecast endpoints list

.PHONY: test-endpoint
test-endpoint: setup ## ENDPOINT_NAME=produce-forecast-dev [REQUEST=request.json]: one request, or the packed example
	@: $(call needed,ENDPOINT_NAME=produce-forecast-dev)
	@forecast endpoints invoke $(ENDPOINT_NAME) $(if $(REQUEST),--file $(REQUEST),--example)

.PHONY: delete-endpoint
delete-endpoint: setup ## ENDPOINT_NAME=produce-forecast-dev: delete it, after asking
	@: $(call needed,ENDPOINT_NAME=produce-forecast-dev)
	@forecast endpoints delete $(ENDPOINT_NAME) $(ARGS)

.PHONY: monitoring-start
monitoring-start: setup ## STAGE=prod: let its alarms act again
	@: $(call needed,STAGE=prod)
	@forecast monitoring start $(STAGE)

.PHONY: monitoring-status
monitoring-status: setup ## STAGE=prod: its alarms, and which of them are muted
	@: $(call needed,STAGE=prod)
	@forecast monitoring status $(STAGE)

.PHONY: emergency-stop
emergency-stop: setup ## STAGE=prod HOW=scale|delete: stop it, after asking (back: forecast start)
	@: $(call needed,STAGE=prod HOW=scale)
	@forecast stop $(STAGE) --how $(HOW) $(ARGS)
