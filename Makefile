# One command each for what people come for. Everything happens in .venv; nothing outside it is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo train test test-serving test-others peers lint format lock bench bench-full bench-quality bench-serving soak clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY)  ## make the virtual environment with the pinned dependencies

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Tierwise needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(READY)  ## train on data/, evaluate, and route a dozen prompts (simulated without GLOBAL_API_KEY)
	@mkdir -p build
	$(BIN)/python -m training train data --out build/demo.tierwise
	$(BIN)/python -m training evaluate build/demo.tierwise data
	$(BIN)/python -m serving demo --model-file build/demo.tierwise

train: $(READY)  ## train the packaged model anew
	@mkdir -p build
	$(BIN)/python -m training train data --out build/default.tierwise
	cp build/default.tierwise classifier/default.tierwise

# Two processes side by side, about as long as each other; whatever is not serving's is in the second.
test: lint  ## all tests, linting and type checks
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-serving test-others

test-serving: $(READY)
	$(BIN)/python -m pytest --override-ini cache_dir=.pytest_cache/serving tests/serving serving

test-others: $(READY)
	$(BIN)/python -m pytest --override-ini cache_dir=.pytest_cache/others --ignore=tests/serving --ignore=serving

peers: $(READY)  ## LiteLLM in an environment of its own (.bench/litellm), for the tests that drive the real one
	$(BIN)/python -c 'from tests.benchmarks.peers import environment_python as made; made("litellm")'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY)  ## resolve the dependencies anew into requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-emit-index-url --upgrade pyproject.toml --output-file requirements.lock

bench: $(READY)  ## every number in the table of DESIGN, beside its peers (minutes)
	$(BIN)/python -m tests.benchmarks

bench-full: $(READY)  ## the same with the full settings search (another ten minutes)
	$(BIN)/python -m tests.benchmarks --full

bench-quality: $(READY)  ## what routing recovers on public outcomes, beside RouteLLM's routers (five minutes)
	$(BIN)/python -m tests.benchmarks.routing

bench-serving: $(READY)  ## the proxy under load, beside LiteLLM's (minutes)
	$(BIN)/python -m tests.benchmarks serving

soak: $(READY)  ## 100,000 requests with faults: the proxy's memory and open files
	$(BIN)/python -m tests.benchmarks soak

clean:  ## remove what the targets made
	rm -rf $(VENV) .bench build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
