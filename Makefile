# Two commands for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

requirements: $(BIN)/uv ## write the hashed requirements files from pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml --group dev -o requirements-dev.txt
