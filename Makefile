# `make run` and `make test` need Python 3.11, make and git; the rest they install.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv where it is there, pip alone otherwise. Nothing of it goes to standard
# output, so that `printf 'hello\n' | make -s run` prints the answer only.
ifneq ($(shell command -v uv 2>/dev/null),)
INSTALL := VIRTUAL_ENV=$(VENV) uv pip install --quiet
CREATE := uv venv --quiet --python $(PYTHON) $(VENV)
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CREATE := $(PYTHON) -m venv $(VENV)
endif
# What is installed is what was locked, byte for byte. Threadkeep itself is built with the
# locked backend, and brings nothing of its own along.
LOCKED := $(INSTALL) --require-hashes
OURSELVES := $(INSTALL) --no-deps --no-build-isolation -e .
LOCKS := requirements/run.txt requirements/build.txt requirements/dev.txt
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header

# Much of a test is waiting, hence more processes than cores. pytest rewrites the asserts
# of every test file; what it compiled is kept for the next run.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest
PARALLEL := --workers 8

.PHONY: help install run run-scale test test-emulators deep lint lock licenses docs screenshots bench clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## create .venv and install Threadkeep into it

run: $(VENV)/.installed  ## answer: on Slack and Discord if set up, else in your browser
	@exec $(BIN)/threadkeep serve

run-scale: $(VENV)/.tested  ## try two gateways and four workers on PostgreSQL, by hand
	@exec $(BIN)/python -m tests.support.run_scale

test: $(VENV)/.tested  ## run the tests of Threadkeep
	@$(BIN)/python -m tests.support.chromium
	@$(PYTEST) $(PARALLEL) --ignore tests/emulators/tests

test-emulators: $(VENV)/.tested  ## run the emulators' own tests
	@$(PYTEST) $(PARALLEL) tests/emulators/tests

deep: $(VENV)/.tested  ## play the randomised tests at full length
	@DEEP=1 $(PYTEST) --workers 2 --ignore tests/emulators/tests

lint: $(VENV)/.tested  ## ruff and mypy, strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lock:  ## renew requirements/*.txt from pyproject.toml; needs uv
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@$(LOCK) --upgrade --extra dev pyproject.toml requirements/build.in -o requirements/dev.txt
	@$(LOCK) --constraint requirements/dev.txt pyproject.toml -o requirements/run.txt
	@$(LOCK) --constraint requirements/dev.txt requirements/build.in -o requirements/build.txt
	@$(MAKE) licenses

licenses: $(VENV)/.tested  ## renew docs/licenses.md from what is installed
	@$(BIN)/python -m tests.support.licenses

docs: $(VENV)/.tested  ## write docs/settings.md, docs/messages.md and the picture of shapes
	@$(BIN)/python -m tests.support.settings_page
	@$(BIN)/python -m tests.support.messages_page
	@$(BIN)/python -m tests.support.shapes_picture

screenshots: $(VENV)/.tested  ## draw the pages in docs/pictures; needs Chromium
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m tests.screenshots

bench: $(VENV)/.tested  ## measure the figures in docs/performance.md
	@$(BIN)/python -m benchmarks

clean:  ## remove what the other commands made; conversations stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Threadkeep needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(CREATE) >&2 </dev/null

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml $(LOCKS)
	@echo "Installing Threadkeep into $(VENV): about a minute the first time …" >&2
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt >&2 </dev/null
	@$(OURSELVES) >&2 </dev/null
	@touch $@

$(VENV)/.tested: $(VENV)/bin/python pyproject.toml $(LOCKS)
	@echo "Installing Threadkeep and what its tests need into $(VENV) …" >&2
	@$(LOCKED) -r requirements/dev.txt >&2 </dev/null
	@$(OURSELVES) >&2 </dev/null
	@touch $(VENV)/.installed $@
