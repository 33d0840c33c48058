# The commands of a day. `make` lists them. PYTHON=python3.12 chooses the interpreter of a new .venv.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; \
	done)
VENV ?= .venv
BIN := $(VENV)/bin
KAFKA_PORT ?= 9092
SCHEDULES ?= 100000
JOBS ?= 2
# the tests wait for as long as they compute; with more processes than cores those that start many miss deadlines
TEST_JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format simulate faults bench constraints kafka kafka-stop clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(BIN)/.dev ## install everything that developing needs into .venv

demo: $(BIN)/.demo ## train, start the stack, stream events, count what came out; FLOODS=1, DATA=FILE plays card transactions
	@$(BIN)/signalbox demo $(if $(FLOODS),--floods) $(if $(DATA),--data "$(DATA)")

up: $(BIN)/.demo ## start the whole stack on this machine; Ctrl-C stops it
	@$(BIN)/signalbox up

test: $(BIN)/.dev ## the tests, against the services that are configured and embedded ones for the rest; ARGS=…
	$(BIN)/python -m pytest --numprocesses $(TEST_JOBS) --dist loadgroup $(ARGS)

check: $(BIN)/.dev ## lint, format, types, layering, the payloads against what is written down
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/signalbox schemas check

format: $(BIN)/.dev ## put the code into form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

simulate: $(BIN)/.dev ## every state machine through SCHEDULES seeded schedules of faults (100000)
	$(BIN)/python -m tests.simulation --schedules $(SCHEDULES) --jobs $(JOBS)

faults: $(BIN)/.dev ## kill and stop the real thing, and count what came out (java, mvn, redis-server, rabbitmq-server, postgresql)
	deploy/kafka/node jars
	$(BIN)/python -m tests.faults.kills --broker redis
	$(BIN)/python -m tests.faults.kills --broker rabbitmq
	$(BIN)/python -m tests.faults.kills --broker redis --empty-redis
	$(BIN)/python -m tests.faults.broker --pool prefork
	$(BIN)/python -m tests.faults.broker --pool threads
	$(BIN)/python -m tests.faults.outage
	$(BIN)/python -m tests.faults.offsets
	$(BIN)/python -m tests.faults.mutants
	$(BIN)/python -m tests.faults.stranger
	$(BIN)/python -m tests.faults.config_files
	$(BIN)/python -m tests.faults.nightly --kills 2
	$(BIN)/python -m tests.faults.pipeline
	$(BIN)/python -m tests.faults.pipeline --seed 2 --restart-redis
	$(BIN)/python -m tests.faults.promoting
	$(BIN)/python -m tests.faults.sql
	$(BIN)/python -m tests.faults.agent --tickets 200
	$(BIN)/python -m tests.faults.agent --tickets 200 --kills 20 --rate 1
	$(BIN)/python -m tests.faults.agent --tickets 200 --kills 20 --rate 1 --keys-kept 10
	$(BIN)/python -m tests.faults.agent --tickets 60 --endpoint-down
	$(BIN)/python -m tests.faults.agent --tickets 60 --rate 2 --desk-down
	$(BIN)/python -m tests.faults.agent --injections

bench: $(BIN)/.dev ## throughput and latency beside the plain way and the bare loop (java, mvn, redis-server)
	deploy/kafka/node jars
	$(BIN)/python -m benchmarks.spine
	$(BIN)/python -m benchmarks.interference
	$(BIN)/python -m benchmarks.pipeline
	$(BIN)/python -m benchmarks.nightly
	$(BIN)/python -m benchmarks.policies
	$(BIN)/python -m benchmarks.agent

constraints: ## write down the versions that are installed, once the tests pass with newer ones
	{ echo "# The versions that were tested together: pip install -c constraints.txt. Written by make constraints."; \
	  $(BIN)/python -m pip freeze --exclude-editable; } > constraints.txt

kafka: ## a real Apache Kafka on this machine (needs java and mvn), on KAFKA_PORT
	@deploy/kafka/node start $(KAFKA_PORT)

kafka-stop: ## stop it
	@deploy/kafka/node stop

clean: ## remove what was installed and written here
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 to 3.13 found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON); what is downloaded takes a minute or two"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a venv; on Debian: apt-get install python3-venv" >&2; exit 1; }

# A stamp per extra: each command installs only what it needs.
$(BIN)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,train,forecast,agent]'
	@touch $@

$(BIN)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(BIN)/.demo
