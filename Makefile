# Every target works on a fresh clone: it makes .venv from the locked versions first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JARS   := .kafka/.fetched
# Most tests wait more than they work and run side by side, a file in one process; chaos and the browser want the
# machine for themselves.
ALONE := tests/chaos tests/browser

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full kafka-jars chaos fuzz check fmt bench lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ticketpulse needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP)  ## virtual environment with the locked versions

demo: $(STAMP)  ## everything in one process, on real input: prints the address of the live page
	$(BIN)/ticketpulse demo

test: $(STAMP)  ## the whole suite, short form
	$(BIN)/python -m pytest -m "not full" -n 2 --dist loadfile $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest -m "not full" $(ALONE)

test-full: $(STAMP)  ## the long form: 2,000 Hypothesis examples, big data
	HYPOTHESIS_PROFILE=full $(BIN)/python -m pytest

SECONDS ?= 60
SEED    ?= 1
chaos: $(STAMP) $(JARS)  ## everything goes wrong for SECONDS, by SEED; every row is compared afterwards
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED)

fuzz: $(STAMP)  ## coverage-guided fuzzing of the decoders for SECONDS; keeps what reaches new code
	$(BIN)/python -m pip install --quiet --require-hashes -r tests/fuzz/requirements.txt
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

kafka-jars: $(JARS)  ## Apache Kafka for the tests that need a real one (needs Java and Maven)

$(JARS): tests/kafka/pom.xml
	rm -rf $(@D)
	mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)/lib
	@touch $@

check: $(STAMP)  ## ruff, mypy --strict, import contracts, deploy lints
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ticketpulse policy check deploy/policies
	@for tool in promtool amtool; do command -v $$tool >/dev/null || { echo "$$tool is missing: apt-get install prometheus prometheus-alertmanager" >&2; exit 1; }; done
	promtool check config --syntax-only deploy/prometheus/prometheus.yml
	promtool check rules deploy/prometheus/rules.yml
	promtool test rules deploy/prometheus/rules_test.yml
	amtool check-config deploy/alertmanager/alertmanager.yml
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/python -m streams.reporting.grafana --check

fmt: $(STAMP)  ## format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## benchmarks, as ratios to the raw limit of the same run
	$(BIN)/python -m benchmarks

lock:  ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra embedded --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --constraint requirements.lock --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o deploy/requirements.lock

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .kafka build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
