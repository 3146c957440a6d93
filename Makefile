# Careerlens: one vocabulary for people, hooks and CI. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
HOST ?= 127.0.0.1
PORT ?= 3000
MLFLOW_PORT ?= 5000
JOBS ?= 2
MODEL ?= toxicity
TRIALS ?= 32
SPEED ?= scorer moderate batch search skills start pipeline
BIN := .venv/bin
STAMP := .venv/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

# The stages after validate_raw in chains that share nothing, each in an order in which it can be run;
# those of jobs and resumes come after those of skills.
STAGES_texts := clean clean_marks validate_clean split fit_tfidf@spam fit_tfidf@toxicity train_spam \
	train_toxicity doubt_labels@spam doubt_labels@toxicity evaluate@spam evaluate@toxicity \
	package@spam package@toxicity
STAGES_skills := clean_jobs validate_jobs build_skills
STAGES_jobs := build_job_index evaluate_matching package_matching
STAGES_resumes := evaluate_skills evaluate_parsing package_skills
CHAINS := train-texts train-skills train-jobs train-resumes

# No dependency reports home unless its own variable says otherwise.
export BENTOML_DO_NOT_TRACK ?= True
export MLFLOW_DISABLE_TELEMETRY ?= true
export DVC_NO_ANALYTICS ?= 1
export HF_HUB_DISABLE_TELEMETRY ?= 1
export GX_ANALYTICS_ENABLED ?= False
export DO_NOT_TRACK ?= true

# dvc and bentoml start `python` by name: it must be the environment's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup serve train chains $(CHAINS) release first-release test bench bench-quality tune lint format lock keys bento image space secrets mlflow clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create the environment in .venv from requirements.lock

$(STAMP): requirements.lock
	@echo "==> Creating .venv from requirements.lock"
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is not one. Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# uv installs everything; its own pinned entry in the lock is all that pip installs.
	@awk '/^uv==/ {take=1} take {print} take && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@# What scores messages; otherwise the service does this beside answering, at its first start.
	@$(BIN)/python -m models.compiling
	@touch $(STAMP)

serve: setup ## Train and release on the starter corpus if nothing is released yet, then serve
	@$(BIN)/python -m pipelines.publish --check || { test $$? -eq 3 && $(MAKE) first-release; }
	@exec $(BIN)/python -m serving.start --host $(HOST) --port $(PORT)

train: setup ## Run the pipeline (dvc repro, two stages at a time) and track the result in MLflow
	@$(BIN)/python -m models.params
	@echo "==> Training: dvc repro"
	@$(BIN)/dvc status --quiet || { \
		$(BIN)/dvc repro validate_raw && $(MAKE) -j2 chains && $(BIN)/dvc repro; }
	@$(BIN)/python -m pipelines.track --receipt artifacts/track.json

chains: $(CHAINS)

# DVC runs one stage at a time, and bears no two commands that look at the same stages.
$(CHAINS): train-%:
	@$(BIN)/dvc --wait-for-lock repro --single-item $(STAGES_$*)

train-jobs train-resumes: train-skills

first-release:
	@ls artifacts/{spam,toxicity,skills,matching}/release/bundle/manifest.json >/dev/null 2>&1 || $(MAKE) train
	@$(MAKE) release

release: setup ## Register the current result and publish it to the hub
	@echo "==> Registering and publishing"
	@$(BIN)/python -m pipelines.track --receipt artifacts/track.json
	@$(BIN)/python -m pipelines.register
	@$(BIN)/python -m pipelines.publish

test: setup ## Run every test, on two cores (JOBS)
	@$(BIN)/python -m models.compiling
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

bench: setup ## Measure speed beside baselines (SPEED lists which)
	@for name in $(SPEED); do echo "==> $$name"; $(BIN)/python -m benchmarks.$$name || failed=1; done; \
		exit $${failed:-0}

bench-quality: setup ## Train on the public corpus in .cache and print what the models reach, and the peers
	@$(BIN)/python -m benchmarks.quality --peers

tune: setup ## Search parameters of MODEL (spam or toxicity) in TRIALS trials, on validation rows
	@$(BIN)/python -m pipelines.tune $(MODEL) --trials $(TRIALS)

lint: setup ## Check style, types and the import law
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile

format: setup ## Rewrite files in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

keys: setup ## Make a pair of keys to sign releases with, in ~/.config/careerlens
	@$(BIN)/python -m pipelines.keys

bento: setup ## Build the service as a bento; BAKE=1 puts the hub's champions into it
	@rm -rf baked; trap 'rm -rf baked' EXIT; \
		if [ -n "$(BAKE)" ]; then $(BIN)/python -m pipelines.bake baked; fi; \
		$(BIN)/bentoml build .

image: setup ## Build the service's image with Docker; BAKE=1 as for the bento, PAGE=1 with the page
	@rm -rf baked; trap 'rm -rf baked' EXIT; \
		if [ -n "$(BAKE)" ]; then $(BIN)/python -m pipelines.bake baked; fi; \
		docker build --target service --build-arg PAGE=$(PAGE) --tag careerlens/service .

space: ## Make space/, the files of a Hugging Face Space that shows the page
	@rm -rf space && cp -r deploy/space space && cp -r models serving LICENSE space/
	@find space -name __pycache__ -prune -exec rm -r {} +
	@# Without hashes: a Space adds packages of its own to these.
	@grep -o '^[a-z0-9][^ ]*==[^\\]*' requirements-page.lock > space/requirements.txt

secrets: setup ## Make the secrets that compose.yaml asks for in secrets/, where they are not yet
	@$(BIN)/python -m serving.secrets secrets

mlflow: setup ## Open the comparison UI on http://127.0.0.1:5000 (MLFLOW_PORT)
	@$(BIN)/mlflow ui --host 127.0.0.1 --port $(MLFLOW_PORT) --workers 1

lock: ## Resolve pyproject.toml anew into requirements.lock, and its serving part
	@$(COMPILE) --group train --group serve --group ui --group dev pyproject.toml --output-file requirements.lock
	@$(COMPILE) --group serve pyproject.toml --constraints requirements.lock --output-file requirements-serve.lock
	@$(COMPILE) --group serve --group ui pyproject.toml --constraints requirements.lock \
		--output-file requirements-page.lock

clean: ## Remove the environment, what stages made and caches; hub/, mlflow.db and mlruns/ stay
	@rm -rf .venv .cache dvc_plots
	@git clean -fdXq artifacts data
