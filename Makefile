PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

.PHONY: run admin test lint chaos bench clean

run: $(VENV)/run-ready
	@exec $(BIN)/python -m crmapp.local

admin: $(VENV)/run-ready
	@$(BIN)/flask create-admin $(or $(EMAIL),admin@example.com)

# What kills servers or looks through a browser mostly waits, and has no company that works hard.
WAITING = tests/faults tests/browser
PYTEST = $(BIN)/python -m pytest

test: $(VENV)/test-ready
	$(PYTEST) -n 3 --dist loadfile $(addprefix --ignore=,$(WAITING))
	$(PYTEST) -n 3 --dist worksteal $(WAITING)

# The fault tests again, with many more faults.
chaos: $(VENV)/test-ready
	CHAOS=1 $(BIN)/python -m pytest tests/faults tests/openapi

lint: $(VENV)/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --check --lint --quiet crmapp/templates

bench: $(VENV)/bench-ready
	$(BIN)/python -m benchmarks.activation
	$(BIN)/python -m benchmarks.stream
	$(BIN)/python -m benchmarks.poll
	$(BIN)/python -m benchmarks.drain
	$(BIN)/python -m benchmarks.sync
	$(BIN)/python -m benchmarks.desk
	$(BIN)/python -m benchmarks.csv_files
	$(BIN)/python -m benchmarks.steady
	$(BIN)/python -m benchmarks.start

clean:
	rm -rf $(VENV)

$(VENV)/run-ready: requirements.txt
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 run"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test-ready: $(VENV)/run-ready requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/bench-ready: $(VENV)/test-ready benchmarks/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@
