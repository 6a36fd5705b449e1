# The newcomer's two commands are `make devnet` and `make test`; the rest serves developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Where the environment has Python keep no bytecode, as images of containers do, each process of a test
# would compile all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install devnet demo test test-long test-clients check format docs lock clean

install: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

devnet: install
	$(BIN)/flockchain devnet --genesis genesis/devnet.json --demo

demo: install
	$(BIN)/flockchain devnet --genesis genesis/devnet.json --demo --exit

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install
	$(BIN)/python docs/generate_whitepaper_map.py

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-long: install
	$(BIN)/python -m pytest -n 2 -m "long or hypothesis" --hypothesis-profile long

test-clients: install
	$(BIN)/python -m pytest -m clients

lock:
	$(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet torch==2.13.0 -r requirements.in -r requirements-dev.in
	(echo "# Every package at the version that was tested; \`make lock\` writes this file from requirements.in and requirements-dev.in."; \
	 .lock/bin/python -m pip freeze | sed 's/^torch==.*/torch==2.13.0/') > requirements.txt
	rm -rf .lock

clean:
	rm -rf $(VENV) .clients build dist *.egg-info
