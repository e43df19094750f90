# make run     one backtest on the demo market; prints the table and where the tear sheet lies
# make test    the tests
# make check   format, lint, types and the tests: what to do before a commit
# make test-slow   heavy proofs; continuous integration (.ci/run) runs them too
# make fuzz    the files of tests that draw examples, on examples that nobody has seen yet
# make abuse COUNT=1000000   spoilt files, words and folders through every door; a million take about an hour
# make test-clients   the vendors' own libraries, which it installs, against a server on this machine
# make unchanged BASE=REVISION   what commands print and write, held against a revision, byte by byte
# make mutants ROOM=kernel   change the code a little and see its tests fail; rooms are in tests/mutants.py
# make kills COUNT=20   commands killed, interrupted and on a full disk, and under other circumstances; hours
# make markets COUNT=10000 SEED=1   random markets through engines and oracle, from scores on
# make results MARKET_DATA=FOLDER   docs/results.md anew: every built-in strategy, judged
# make bench   the speed of the engines
# make bench-engines   target weights through other engines, which it installs; writes docs/engines.md
# make bench-peers   the same beside vectorbt too, which it installs; half an hour, writes benchmarks/README.md
#
# Each makes .venv when it is not there yet, with the first suitable Python it finds; `make PYTHON=... run`
# names one. Versions are those of constraints.txt.

.PHONY: run test test-slow fuzz abuse kills markets test-clients lint check unchanged mutants results \
  bench bench-engines bench-peers clean help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
RECIPE := pyproject.toml constraints.txt

# As variables they also hold for what pip builds on the way; newer versions of pip read the second one.
PINNED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
PIP := $(PINNED) $(BIN)/python -m pip --disable-pip-version-check install --quiet

run: $(VENV)/.core
	@$(BIN)/python run_backtest.py run share_inflow --pyfolio

test: $(VENV)/.test
	@$(BIN)/python -m pytest --numprocesses auto

test-slow: $(VENV)/.test
	@$(BIN)/python -m pytest --numprocesses auto -m slow

fuzz: $(VENV)/.test
	@$(BIN)/python -m pytest --numprocesses auto --hypothesis-profile others -m '' $$(grep -l '^from hypothesis' tests/*.py)

abuse: COUNT := 20000
abuse: JOBS := 1
abuse: $(VENV)/.test
	@nice -n 10 $(BIN)/python -m tests.fuzz --count $(COUNT) --jobs $(JOBS)

test-clients: $(VENV)/.test
	@$(PIP) --editable '.[cn,tushare,yahoo]'
	@$(BIN)/python -m pytest --numprocesses auto tests/providers

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

BASE := HEAD
FROZEN := build/frozen

unchanged: $(VENV)/.test
	@rm -rf $(FROZEN) && mkdir -p $(FROZEN)
	@git worktree prune && git worktree add --quiet --detach --force $(FROZEN)/tree $(BASE)
	@$(BIN)/python -m tests.golden.freeze $(FROZEN)/tree $(FROZEN)/before
	@$(BIN)/python -m tests.golden.freeze . $(FROZEN)/after
	@git worktree remove --force $(FROZEN)/tree
	diff -r $(FROZEN)/before $(FROZEN)/after

ROOM := kernel

mutants: $(VENV)/.test
	@$(PIP) --editable '.[mutants]'
	@nice -n 10 $(BIN)/python -m tests.mutants $(ROOM)

kills: COUNT := 20
kills: $(VENV)/.test
	@nice -n 10 $(BIN)/python -m tests.kills --count $(COUNT)
	@nice -n 10 $(BIN)/python -m tests.circumstances

markets: COUNT := 10000
markets: SEED := 1
markets: $(VENV)/.test
	@nice -n 10 $(BIN)/python -m tests.markets --count $(COUNT) --seed $(SEED)

MARKET_DATA :=

results: $(VENV)/.test
	@$(BIN)/python docs/make_results.py $(MARKET_DATA)

bench: $(VENV)/.test
	@$(BIN)/python -m benchmarks

bench-peers: $(VENV)/.test
	@$(PIP) --editable '.[bench]'
	@$(BIN)/python -m benchmarks.batch --write

bench-engines: $(VENV)/.test
	@$(PIP) --editable '.[engines]'
	@$(BIN)/python -m benchmarks.engines --write

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/.made:
	@.ci/find-python "$(PYTHON)" > /dev/null
	@"$$(.ci/find-python "$(PYTHON)")" -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.made $(RECIPE)
	@echo "installing into $(VENV): once, about a minute"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.made $(RECIPE)
	@echo "installing into $(VENV): once, about a minute"
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.core

$(VENV)/.dev: $(VENV)/.made $(RECIPE)
	@echo "installing into $(VENV): once, about a minute"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.core $(VENV)/.test
