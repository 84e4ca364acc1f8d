# Two commands for a newcomer: `make demo` and `make test`. Both need only make and Python 3.11 or newer.
# `make help` lists all of them.
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
# Tests run with the settings as they are when nothing is set, whatever the shell has for another purpose. Compiled
# modules are kept: each run starts some twenty processes.
SETTINGS = ALLOWED_HOSTS BASE_URL CACHE_URL DATABASE_URL DEBUG DEFAULT_FROM_EMAIL EMAIL_URL HOST LOG_LEVEL \
	MALLOC_ARENA_MAX PORT SECRET_KEY TIME_ZONE WEB_CONCURRENCY $(filter CALLBOARD_%,$(shell env | cut -d= -f1))
CLEAN = env $(SETTINGS:%=-u %) -u PYTHONDONTWRITEBYTECODE CALLBOARD_VAR_DIR=var/test
# What shares a server is a group, and runs in one process.
PYTEST = $(CLEAN) $(BIN)/pytest -n $(WORKERS) --dist loadgroup
# The marker expressions are those of pyproject.toml. What has no `database` is the same on both, and runs once.
FAST = not slow and not senders
# Measured on SQLite: most lines that are the program's own run there. The floor is in pyproject.toml.
COVERAGE = --cov --cov-report=term

# $(1): options of the run on SQLite; $(2): options of the one on PostgreSQL
define test_on_both_databases
	@[ -n "$$TEST_DATABASE_URL" ] || echo "TEST_DATABASE_URL is not set: tests run on SQLite only."
	$(PYTEST) $(1)
	@[ -z "$$TEST_DATABASE_URL" ] || { echo "Again on PostgreSQL, what uses a database:"; \
		$(CLEAN) DATABASE_URL="$$TEST_DATABASE_URL" $(BIN)/pytest -n $(WORKERS) --dist loadgroup $(2); }
endef
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset run shell migrate test test-all coverage lint fmt chromium bench bench-insight requirements

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## serve the site with invented data (HOST, PORT; default 127.0.0.1:8000)
	@exec $(BIN)/python manage.py demo --serve

demo-reset: $(RUN) ## the same, starting over with data up to now
	@exec $(BIN)/python manage.py demo --reset --serve

run: migrate ## serve the site for development: debug pages, and a restart after each change (HOST, PORT)
	@DEBUG=on exec $(BIN)/python manage.py runserver "$${HOST:-127.0.0.1}:$${PORT:-8000}"

shell: $(DEV) ## open a Python shell with all models imported
	@exec $(BIN)/python manage.py shell

migrate: $(DEV) ## apply migrations that the database does not have yet
	$(BIN)/python manage.py migrate

ifdef T
test: $(DEV) ## lint and test, on SQLite and on TEST_DATABASE_URL; T=tests/path runs only these tests, and no lint
	$(call test_on_both_databases,$(T) -m "",$(T) -m "")
else
test: lint chromium
	$(call test_on_both_databases,,-m "database and $(FAST)")
endif

test-all: lint chromium ## the same with the slow tests and those of real senders; prints and checks the coverage
	$(call test_on_both_databases,-m "" $(COVERAGE),-m database)

coverage: chromium $(DEV) ## run all tests on SQLite and list the lines of the program that they do not reach
	$(PYTEST) -m "" --cov --cov-report=term-missing

lint: $(DEV) ## check style, types, templates, and whether a migration is missing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/mypy .
	$(CLEAN) $(BIN)/python manage.py makemigrations --check --dry-run

fmt: $(DEV) ## format the code, and fix what the linter can fix
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

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
	for senders in tests/senders/requirements-*.in; do $(BIN)/uv pip compile --universal --generate-hashes \
		--no-annotate --no-header -q --python-version 3.11 $$senders -o $${senders%.in}.txt; done

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
