# The only entry to this project: `make help` says what there is.
# A machine needs Python 3.11, Go, JDK 17 and Maven; everything else is fetched or built once and cached.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/lakehouse-operator
OWN_UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
UV := $(or $(shell uv --version >/dev/null 2>&1 && command -v uv),$(OWN_UV))
PY := $(UV) run --no-sync python
BENCH ?= all

export UV_PYTHON_DOWNLOADS := never
export PYTHONPATH := $(CURDIR)/operator:$(CURDIR)/spark_images:$(CURDIR)/dev
# Some tools look for uv themselves.
export PATH := $(dir $(UV)):$(PATH)
# Other settings of the shell must not choose another Python.
unexport VIRTUAL_ENV

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(if $(filter $(OWN_UV),$(UV)),$(OWN_UV)) ## Install uv if it is missing, and the locked Python packages
	@test -d .venv || echo "installing the locked Python packages into .venv (about 1 GB, usually 1 to 3 min, once)" >&2
	@$(UV) sync --all-groups --locked --quiet

$(OWN_UV):
	@echo "installing uv $(UV_VERSION) into $(CACHE) (seconds, once)" >&2
	@python3 -m venv $(CACHE)/uv-$(UV_VERSION)
	@$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.PHONY: demo
demo: setup ## Start a cluster, S3 and the operator, run the CRM accounts example, print the table
	@$(PY) -m lakehouse_dev.demo

.PHONY: demo-sources
demo-sources: setup ## Add a database, a topic and web APIs to the demo, and run all seven examples
	@$(PY) -m lakehouse_dev.demo_sources

.PHONY: demo-down
demo-down: setup ## Remove the demo's cluster and its data
	@$(PY) -m lakehouse_dev.demo --down

.PHONY: test
test: setup ## Everything that CI runs: about 40 min, the first time on a machine more than an hour
	@$(PY) -m lakehouse_dev.steps all

.PHONY: test-fast
test-fast: setup ## What needs no JVM, no cluster and no Go build: about a minute
	@$(PY) -m lakehouse_dev.steps fast

.PHONY: check
check: setup ## Formatting, lint, types, import rules
	@$(PY) -m lakehouse_dev.steps check

.PHONY: verify
verify: setup ## Fail if a generated file is out of date
	@$(PY) -m lakehouse_dev.steps verify

.PHONY: fmt
fmt: setup ## Format the Python code and apply the lint fixes that are safe
	@$(UV) run --no-sync ruff format .
	@$(UV) run --no-sync ruff check --fix .

.PHONY: generate
generate: setup ## Write crds/ and the chart's copies and schema from the models
	@$(PY) -m lakehouse_dev.crds
	@$(PY) -m lakehouse_dev.chart

.PHONY: images
images: setup ## Build the operator's, Spark's and the dev cluster's images
	@$(PY) -m lakehouse_dev images

.PHONY: cluster-up
cluster-up: setup ## Start the dev cluster: a node, its DNS, two S3 stores
	@$(PY) -m lakehouse_dev cluster up

.PHONY: cluster-down
cluster-down: setup ## Stop the dev cluster and leave nothing behind
	@$(PY) -m lakehouse_dev cluster down

.PHONY: cluster-status
cluster-status: setup ## Say what runs in the dev cluster and how to reach it
	@$(PY) -m lakehouse_dev cluster status

.PHONY: bench
bench: setup ## Measure ours beside the peer: make bench BENCH=launch, or all of them
	@$(PY) -m lakehouse_dev.bench $(BENCH)

.PHONY: clean
clean: ## Remove what builds and tests leave in this directory; the cache under the home directory stays
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist spark-warehouse metastore_db derby.log
	@rm -rf spark_images/java/target
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
