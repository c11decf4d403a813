# The house's commands. `make` alone lists them.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PIP_USER PIP_TARGET PIP_PREFIX

python := .venv/bin/python
pytest := $(python) -m pytest
lock := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help run demo neo4j doctor test test-neo4j soak bench check format schema lock base dev
.NOTPARALLEL:

help: ## Lists the commands
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 19

run: base ## Starts the server and its engine; Ctrl-C stops both (ARGS="--port 8001" for options)
	@exec $(python) -m accountgraph serve $(ARGS)

demo: base ## Fills a running server with an organisation to look at
	@exec $(python) -m accountgraph demo $(ARGS)

doctor: base ## Looks whether this machine can run the server
	@exec $(python) -m accountgraph doctor

neo4j: dev ## Runs a real Neo4j from packages and prints the settings that use it
	@exec $(python) -m scripts.run_neo4j $(ARGS)

test: dev ## Runs the tests on the embedded engine
	@exec env ACCOUNTGRAPH_TEST_ENGINE=arcadedb $(pytest) $(ARGS)

test-neo4j: dev ## Runs the same tests on a real Neo4j
	@exec env ACCOUNTGRAPH_TEST_ENGINE=neo4j $(pytest) $(ARGS)

soak: dev ## Runs the random and fault runs at their whole size, on both engines
	@for engine in arcadedb neo4j; do \
	    env ACCOUNTGRAPH_TEST_ENGINE=$$engine ACCOUNTGRAPH_TEST_SIZE=full $(pytest) -s --timeout 3600 tests/soak $(ARGS) || exit; \
	done

bench: dev ## Measures against other servers and the driver alone, on a real Neo4j (ARGS="--engine arcadedb" for the embedded one)
	@exec $(python) -m bench $(ARGS)

check: dev ## Checks format, rules, types, layers, the committed schema and reference, and the repository itself
	@$(python) -m ruff format --check --quiet .
	@$(python) -m ruff check --quiet .
	@$(python) -m basedpyright --warnings
	@$(python) .venv/bin/lint-imports --no-logo --no-cache
	@$(python) -m accountgraph schema --check schema.graphql
	@$(python) -m scripts.make_reference --check docs/reference.md
	@exec $(pytest) -q tests/repository

format: dev ## Formats the code and sorts its imports
	@$(python) -m ruff format --quiet .
	@$(python) -m ruff check --fix --quiet .

schema: base ## Writes schema.graphql and docs/reference.md anew
	@$(python) -m accountgraph schema --output schema.graphql
	@exec $(python) -m scripts.make_reference docs/reference.md

lock: base ## Pins the packages that pyproject.toml asks for, with their hashes (needs uv)
	@PATH="$$PATH:.venv/bin" sh -c 'command -v uv >/dev/null' || { echo "lock: uv is needed" >&2; exit 3; }
	@PATH="$$PATH:.venv/bin" uv pip compile $(lock) pyproject.toml -o requirements.txt
	@PATH="$$PATH:.venv/bin" uv pip compile $(lock) --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

base:
	@sh scripts/setup.sh base

dev:
	@sh scripts/setup.sh dev
