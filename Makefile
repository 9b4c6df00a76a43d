# The commands of the README. Every target makes what it needs; `make` alone lists them.
# PYTHON=/path/to/python3.12 chooses the interpreter that the environment is made with.
PYTHON ?=
VENV := .venv/bin
ARGS ?=
# Tests run in so many processes, each with a broker of its own when it needs one, a file at a time, the longest first
# (tests/conftest.py). JOBS=3 is somewhat faster where there is memory for three brokers; JOBS=0 runs all in one.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check chaos feed-chaos search long docs bench bench-kafka peers kafka-peers clean .venv

help: ## list these targets
	@awk -F ':.*## ' '/^[.a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv ## simulate a market, replay it, show the summary and where the report is
	$(VENV)/penstock simulate --out demo/market
	$(VENV)/penstock replay demo/market/*.parquet --out runs/demo --overwrite

test: .venv ## run the tests and the examples in docstrings; ARGS='-k name' picks some
	$(VENV)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv ## lint, formatting, types
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

chaos: .venv ## kill a live run 200 times, and compare its topics with a replay; ARGS='--kills 50 --seed 2'
	$(VENV)/python -m tests.chaos.run $(ARGS)

feed-chaos: .venv ## hours of simulated feeds in which everything goes wrong: the candles are those of a clean run
	$(VENV)/python -m pytest -m long tests/connectors/feed $(ARGS)

search: .venv ## run the property tests of the rooms on examples that nobody has seen yet
	PENSTOCK_SEARCH=1 $(VENV)/python -m pytest tests/flows tests/schemas tests/sinks $(ARGS)

long: .venv peers ## run the tests that `make test` leaves out: every fault, the same trades as the peers
	$(VENV)/python -m pytest -m long $(ARGS)

docs: .venv ## write docs/configuration.md, topics.md, monitoring.md and gates.md from the code
	$(VENV)/python -m schemas.documents docs
	$(VENV)/python -m sinks.vitals.page docs deploy
	$(VENV)/python -m flows.portfolio.gates.page docs

bench: .venv peers ## replay and its peers side by side on the same candles
	$(VENV)/python benchmarks/run.py $(ARGS)

bench-kafka: .venv kafka-peers ## penstock and its peers side by side on one Kafka broker
	$(VENV)/python -m benchmarks.kafka.run $(ARGS)

.venv: .venv/made ## make or update the environment, when pyproject.toml or constraints.txt have changed

# The last step writes .venv/made, so an environment whose making was interrupted does not count, and is made anew.
.venv/made: pyproject.toml constraints.txt
	@if ! test -f $@ || ! $(VENV)/python -c ''; then \
		python=$$(PYTHON='$(PYTHON)' sh .ci/find-python) && echo "making .venv with $$python" && \
		"$$python" -m venv --clear .venv; \
	fi
	@rm -f $@
	$(VENV)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[dev]'
	@touch $@

peers: benchmarks/.venv/made ## make the environment of the peers that the benchmark compares with

kafka-peers: benchmarks/kafka/.venv/made ## make the environment of the peers on Kafka

%/.venv/made: %/requirements.txt %/constraints.txt
	@if ! test -f $@ || ! $*/.venv/bin/python -c ''; then \
		python=$$(PYTHON='$(PYTHON)' sh .ci/find-python) && echo "making $*/.venv with $$python" && \
		"$$python" -m venv --clear $*/.venv; \
	fi
	@rm -f $@
	$*/.venv/bin/python -m pip install --disable-pip-version-check --quiet -r $*/requirements.txt
	@touch $@

clean: ## remove what these targets made: environments, caches, the demo (other runs stay)
	rm -rf .venv benchmarks/.venv benchmarks/kafka/.venv demo runs/demo build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
