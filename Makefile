# Two commands for a newcomer: `make demo` and `make test`. Both need only make and Python 3.11 or newer.
# The system's Python where it is new enough: distributions build it optimized, version managers as a rule do not,
# and then pages take a tenth longer.
PYTHON ?= $(firstword $(foreach python,/usr/bin/python3 python3,$(shell \
	$(python) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))) python3)
VENV = .venv
BIN = $(VENV)/bin
# Touched when the requirements of that kind are installed; older than their file: install again.
RUN = $(VENV)/.installed
DEV = $(VENV)/.installed-dev
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

# How many processes run the tests: as many as there are cores, unless said otherwise.
WORKERS ?= auto
# Tests run with the settings as they are when nothing is set, whatever the shell has for another purpose.
SETTINGS = ALLOWED_HOSTS BASE_URL CACHE_URL DATABASE_URL DEBUG DEFAULT_FROM_EMAIL EMAIL_URL HOST LOG_LEVEL PORT \
	SECRET_KEY TIME_ZONE WEB_CONCURRENCY $(filter CALLBOARD_%,$(shell env | cut -d= -f1))
CLEAN = env $(SETTINGS:%=-u %) CALLBOARD_VAR_DIR=var/test
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test lint chromium bench bench-insight requirements

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## serve the site with invented data (HOST, PORT; default 127.0.0.1:8000)
	@exec $(BIN)/python manage.py demo --serve

demo-reset: $(RUN) ## the same, starting over with data up to now
	@exec $(BIN)/python manage.py demo --reset --serve

test: lint chromium ## lint, types, and all tests: on SQLite, and on PostgreSQL if TEST_DATABASE_URL names one
	@[ -n "$$TEST_DATABASE_URL" ] || echo "TEST_DATABASE_URL is not set: tests run on SQLite only."
	$(CLEAN) $(BIN)/pytest -n $(WORKERS)
	@[ -z "$$TEST_DATABASE_URL" ] || { echo "The same on PostgreSQL"; \
		$(CLEAN) DATABASE_URL="$$TEST_DATABASE_URL" $(BIN)/pytest -n $(WORKERS); }

lint: $(DEV) ## style, types, templates, and whether a migration is missing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/mypy .
	$(CLEAN) $(BIN)/python manage.py makemigrations --check --dry-run

chromium:
	@[ -n "$(CHROMIUM)" ] || { echo "The browser tests need Chromium: apt install chromium" >&2; exit 1; }

bench: $(DEV) ## measure recording and pages, and print a table (TEST_DATABASE_URL: on PostgreSQL, too)
	$(BIN)/python -m tests.benchmarks

bench-insight: $(DEV) ## measure how well and how fast the unusual is found
	$(BIN)/python tests/benchmarks/bench_insight.py

requirements: $(DEV) ## write the hashed requirements files anew from pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml --group dev \
		-c requirements.txt -o requirements-dev.txt

# pip comes last into a virtual environment, so where it is, the rest is.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Callboard needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt | $(BIN)/pip
	@echo "Installing the requirements into $(VENV) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

# The development requirements hold the others, in the same versions.
$(DEV): requirements-dev.txt requirements.txt | $(BIN)/pip
	@echo "Installing the development requirements into $(VENV) ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(RUN)
