# make run: try it.  make test: every test.  make check: what CI runs.  make bench: figures, as ratios.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run test lint types check bench lock clean

run: $(READY)
	$(BIN)/gateway demo

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

check: lint types test

bench: $(READY)
	$(BIN)/python -m tests.bench $(ARGS)

# uv.lock names versions and hashes but no index: the machine's own configuration says where packages come from.
$(READY): pyproject.toml uv.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==0.13.8
	$(BIN)/uv export --quiet --frozen --all-groups --no-emit-project --output-file $(VENV)/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement $(VENV)/requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $(READY)

lock:
	$(BIN)/uv lock
	sed -i -E 's#url = "[^"]*/([^/"]+)"#url = "\1"#; s#registry = "[^"]*"#registry = "https://index.invalid/simple"#' uv.lock

clean:
	rm -rf $(VENV)
