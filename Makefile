# Run `make` for what there is. Everything lives in .venv; nothing needs root, Node, a compiler or a database server.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
PORT ?= 8000
WORKERS ?= auto
REQUIRE_ALL ?=
.DEFAULT_GOAL := help
ARGS ?=
.PHONY: help demo test lint fmt types contracts unit bench-gate bench-stories prove-gate lock schema docs wheel clean bench-newsletters bench-markets bench-notices prove-billing bench-billing scenarios bench-search bench-epaper

help: ## what each command does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## a living demo paper on http://localhost:8000 (PORT=… for another)
	@$(BIN)/broadsheet demo --port $(PORT)

test: $(VENV)/.dev ## the whole suite: lint, types, contracts, tests (REQUIRE_ALL=1 allows no skip)
	@$(MAKE) --no-print-directory lint types contracts unit

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check src tests && $(BIN)/ruff format --check src tests

fmt: $(VENV)/.dev ## put the code in form
	@$(BIN)/ruff check --fix -q src tests; $(BIN)/ruff format -q src tests

types: $(VENV)/.dev ## mypy, strict on rules, money, gate and the press's store
	@$(BIN)/mypy

contracts: $(VENV)/.dev ## the layers of the house
	@$(BIN)/lint-imports --no-logo

unit: $(VENV)/.dev ## the tests alone
	@REQUIRE_ALL=$(REQUIRE_ALL) $(BIN)/pytest -n $(WORKERS) --dist loadfile -q

bench-gate: $(VENV)/.dev ## the gate beside nginx, per CPU-second (ARGS="--only new --pairs 4"; see docs/performance.md)
	@$(BIN)/python -m tools.bench_gate $(ARGS)

bench-stories: $(VENV)/.dev ## latency of every kind of page, from a thousand stories to a million
	@$(BIN)/python -m tools.bench_stories $(ARGS)

prove-gate: $(VENV)/.dev ## millions of requests while everything changes, each answer compared byte by byte (half an hour)
	@$(BIN)/python -m tools.prove_gate $(ARGS)

scenarios: $(VENV)/.dev ## every scenario of billing, walked by the time machine
	@EVERY_SCENARIO=1 $(BIN)/pytest -n $(WORKERS) -q tests/timemachine/test_scenarios.py

lock: $(VENV)/.dev ## resolve the dependencies anew and lock them with hashes (needs uv)
	@$(BIN)/python tools/lock.py

schema: $(VENV)/.dev ## write src/broadsheet/server/schema.sql from the migrations
	@$(BIN)/python tools/schema.py

docs: $(VENV)/.dev ## write docs/options.md from the option table
	@$(BIN)/python -c 'from broadsheet.server.options import as_markdown; print(as_markdown(), end="")' > docs/options.md

bench-markets: $(VENV)/.dev ## a day's price list taken in, and what the investor section asks, with thirty years of prices
	@$(BIN)/python tools/bench_markets.py $(ARGS)

bench-notices: $(VENV)/.dev ## how long a publish or a kill takes to reach every gate
	@$(BIN)/python tools/bench_notices.py

prove-billing: $(VENV)/.dev ## billing while its processes are killed, a thousand times on each database: nobody is charged twice
	@$(BIN)/python -m tools.prove_billing $(ARGS)

bench-billing: $(VENV)/.dev ## renewals a second from ten thousand due subscriptions to a million
	@$(BIN)/python -m tools.bench_billing $(ARGS)

bench-epaper: $(VENV)/.dev ## setting 12 pages, importing a page, marking a download, beside typst and pypdfium2 alone
	@$(BIN)/python -m tools.bench_epaper $(ARGS)

bench-search: $(VENV)/.dev ## search over 200,000 stories beside SQLite's FTS5: building, size, kinds of question (ARGS="--stories 1000000")
	@$(BIN)/python -m tools.bench_search $(ARGS)

bench-newsletters: $(VENV)/.dev ## 100,000 mails composed, signed and sent, the sender killed twice (ARGS="--mails 5000")
	@$(BIN)/python -m tools.bench_newsletters $(ARGS)

wheel: $(VENV)/.dev ## build dist/broadsheet-*.whl
	@$(BIN)/python -m flit_core.wheel --outdir dist

clean: ## remove the environment and what was built
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Broadsheet needs Python 3.11 or later; this is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12"; exit 1; }
ifdef UV
	@uv venv -q --python "$$(command -v $(PYTHON))" $(VENV)
else
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (on Debian: apt install python3-venv)."; exit 1; }
endif

# The environment is made anew when its lock file is newer. Only wheels, each with its hash.
define install
	@echo "Installing packages from $(1) …"
	$(if $(UV),@uv pip install -q -p $(BIN)/python --only-binary :all: --require-hashes -r $(1),@$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r $(1))
	$(if $(UV),@uv pip install -q -p $(BIN)/python --no-deps --no-build-isolation -e .,@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .)
endef

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.run
