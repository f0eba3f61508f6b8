# The menu: `make help`. Everything is installed into .venv and one cache folder of the user's.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast up down status bench lint torture torture-cdc corpus clean requirements

help: ## show this menu
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r a b; do printf '  make %-14s %s\n' "$$a" "$$b"; done

$(READY): requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, $$($(PYTHON) --version) was found: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: this Python has no venv module: apt-get install python3-venv, or make PYTHON=/path/to/another/python $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY) ## install all that is needed into .venv (other targets do it by themselves)

lint: $(READY) ## ruff, mypy (strict on the toolkit) and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

requirements: $(READY) ## pin requirements/*.in again, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-find-links --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 -o requirements/all.txt requirements/toolkit.in requirements/example.in requirements/test.in
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-find-links --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 -o requirements/reladiff.txt requirements/reladiff.in

demo: $(READY) ## the main job: reads of one capability and writes of another move out and back under live traffic
	@$(BIN)/python -m demo

up: $(READY) ## start everything that strangler.toml names and leave it running
	@$(BIN)/strangler up

status: $(READY) ## where are we
	@$(BIN)/strangler status

down: $(READY) ## stop everything that `make up` started
	@$(BIN)/strangler down

test: $(READY) ## all tests: fast ones first, then those on real servers
	$(BIN)/python -m pytest -q -m "not real" -n 2
	$(BIN)/python -m pytest -q -m real -n 2 --dist loadgroup --no-loadscope-reorder

test-fast: $(READY) ## only the tests that need no server
	$(BIN)/python -m pytest -q -m "not real" -n 2

bench: $(READY) ## every benchmark, one table each, figures in benchmarks/results/
	$(BIN)/python -m benchmarks

torture: torture-cdc ## every long kill run, with fixed seeds

torture-cdc: $(READY) ## kill worker and servers under live writers, 60 times; every table has to end equal
	$(BIN)/python -m torture.cdc

corpus: $(READY) ## every column type over every pair of servers, copied and streamed: equal, or refused by name
	$(BIN)/python -m torture.corpus

clean: $(READY) ## stop everything and remove what was made here (downloads in the user's cache stay)
	-@$(BIN)/strangler down
	rm -rf .strangler .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
