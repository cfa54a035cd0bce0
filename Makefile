# The same commands here, in CI and in the README. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
DATA ?= .data/demo
PORT ?= 8000
BIN := $(VENV)/bin
READY := $(VENV)/.ready
REGISTRY := $(addprefix tests/trust_registry/test_,attacks.py attestations.py canonical_lists.py catalogue.py console_forms.py contradictions.py \
        departures.py differences.py editing.py foreign_*.py governance.py histories.py invariants.py matrix.py model.py recognition*.py routes.py \
        rules*.py status*.py trqp.py wire.py)
PURE := $(addprefix tests/keys/test_,algorithms.py mdoc.py revocation.py) $(REGISTRY) tests/issuer/test_clearing.py tests/issuer/test_statuses.py tests/issuer/test_dual_control.py \
        tests/issuer/test_routes.py tests/verifier tests/wallet_api/test_core.py tests/wallet_api/test_stories.py tests/server/test_sign_in.py \
        tests/server/test_machines.py tests/issuer/openid4vci/test_as_offers.py

.PHONY: help setup peers clients interop run test cover lint fix bench docs torture system clean
help:          ## List what can be made
	@grep -E '^[a-z]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh .ci/setup
	@touch $(READY)

setup: $(READY) ## Make the virtual environment and install everything from wheels

run: $(READY)  ## Start the demo on the embedded database (DATA=folder PORT=number)
	@$(BIN)/yinxin demo --data "$(DATA)" --port $(PORT)

peers: $(READY) ## Put the implementations to compare with beside the environment
	@VENV="$(VENV)" sh .ci/peers

clients: $(READY) ## Put wallets, issuers and verifiers of others (npm) beside the environment
	@VENV="$(VENV)" sh .ci/interop

system:        ## Install Chromium, PostgreSQL and SoftHSM where this may be done, else name them
	@sh .ci/system

interop: $(READY) peers clients ## Collect, present and revoke with wallets of others, against a server started for it
	@$(BIN)/python -m pytest -rs tests/interop/test_wallets_*.py

test: $(READY) system peers clients ## Run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile -rs

cover: $(READY) ## Hold every core and model to full branch coverage
	@COVERAGE_FILE=.coverage $(BIN)/python -m pytest -q -n 2 --dist loadfile -k "not crash" --no-cov-on-fail --cov --cov-branch --cov-report= $(PURE)
	@$(BIN)/coverage report --show-missing --skip-covered --fail-under 100 --include '*/core.py,*/core/*,*/model.py,*/model/*'

lint: $(READY) ## Style, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(READY)  ## Put style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) peers ## Print the performance ratios
	@$(BIN)/python -m tests.benchmarks

torture: $(READY) ## Kill the server at random moments, 50 rounds
	@$(BIN)/python -m pytest tests/torture --rounds 50 --timeout 3600

docs: $(READY) ## Make the generated parts of docs/ anew
	@$(BIN)/python -m tests.docs

clean:         ## Remove the virtual environment and caches (keeps data)
	rm -rf "$(VENV)" .mypy_cache .ruff_cache .hypothesis
