# Every target makes the environment it needs in .venv; nothing else is asked of a newcomer than Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help serve test test-thorough lint bench bench-processes bench-journal bench-check bench-fuzz bench-rendering bench-responsiveness bench-resources bench-specs wheel clean

help:  ## show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 12

serve: .venv/serve  ## run the mock on http://127.0.0.1:4010; options by ARGS="--port 4020 --time-scale 1"
	@$(BIN)/bluehour serve $(ARGS)

test: .venv/test  ## run what protects every behaviour, in minutes; a part of it by ARGS="tests/openapi"
	@$(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart=0 $(ARGS)

test-thorough: .venv/test  ## run the rest, which takes long: every case, more examples by chance, fuzzing
	@$(BIN)/python -m pytest -n auto --dist worksteal --max-worker-restart=0 -o faulthandler_timeout=2400 -m "thorough or hypothesis" --hypothesis-profile=thorough $(ARGS)

lint: .venv/test .venv/lint  ## check style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: .venv/serve  ## measure throughput, latency, start and memory, beside Prism where npm is
	@$(BIN)/python -m benchmarks.throughput $(ARGS)

bench-processes: .venv/test  ## measure one and several processes on each store, and what the database takes
	@$(BIN)/python -m benchmarks.processes $(ARGS)

bench-journal: .venv/serve  ## measure what the journal costs in throughput and memory
	@$(BIN)/python -m benchmarks.journal $(ARGS)

bench-check: .venv/test  ## count the wrong servers that bluehour check finds, beside schemathesis
	@$(BIN)/python -m benchmarks.check $(ARGS)

bench-rendering: .venv/test  ## measure pictures per second of the reference renderer; all batches by ARGS="--full"
	@$(BIN)/python -m benchmarks.rendering $(ARGS)

bench-fuzz: .venv/test  ## count the faulty clients that bluehour fuzz catches, and time it; all seeds by ARGS="--seeds 5"
	@$(BIN)/python -m benchmarks.fuzz $(ARGS)

bench-responsiveness: .venv/test  ## measure how long polls take while the reference renderer works
	@$(BIN)/python -m benchmarks.responsiveness $(ARGS)

bench-resources: .venv/test  ## measure memory and waiting under greedy clients; another checkout too by ARGS="--beside DIR"
	@$(BIN)/python -m benchmarks.resources $(ARGS)

bench-specs: .venv/serve  ## measure a start with contracts of thousands of operations, beside Prism where npm is
	@$(BIN)/python -m benchmarks.specs $(ARGS)

wheel: .venv/serve  ## build dist/bluehour-…-py3-none-any.whl, to be installed anywhere
	@rm -rf dist
	@$(PIP) wheel --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:  ## remove the environment and every cache
	rm -rf .venv .cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/serve: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bluehour needs Python 3.11 or newer; make PYTHON=python3.12 …")'
	@echo "Making the environment in .venv (a minute, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --constraint constraints.txt --editable '.[video]'
	@touch $@

.venv/test: .venv/serve
	@echo "Adding what the tests need"
	@$(PIP) install --constraint constraints.txt --editable '.[contracts,inference,metrics,postgres,redis,tls,video,work]' --group test
	@touch $@

.venv/lint: .venv/serve
	@$(PIP) install --constraint constraints.txt --group lint
	@touch $@
