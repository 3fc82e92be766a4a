# make book | make test | make notebooks | make address | make bench | make lint | make lock | make clean
# Each target does all the set-up it needs; a second call does only what has changed.

PYTHON ?= python3.11
BIN    := .venv/bin
PAGES  := $(wildcard book/*.md book/*.yml book/*.bib book/_static/*)
CODE   := $(wildcard shattered_lite/*.py shattered_lite/*/*.py tools/*.py) _config.yml _toc.yml pyproject.toml

.PHONY: book test notebooks address bench lint lock clean
.DELETE_ON_ERROR:

book: _build/html/index.html

test: _build/html/index.html
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

notebooks: address _build/html/index.html
	$(BIN)/python -m tools.colab
	$(BIN)/python -m tools.picture

# README, citation and start page take the project's addresses from pyproject.toml.
address: .venv/ready
	$(BIN)/python -m tools.address

bench: .venv/ready
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/training.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

# Threads that wait must not spin: where another program needs a core, spinning makes a chapter four times slower.
# The first build executes every chapter. Without stale doctrees, a failure cannot hide behind an earlier success.
_build/html/index.html: .venv/ready $(PAGES) $(CODE)
	rm -rf _build
	$(BIN)/python -m tools.ledger
	OMP_WAIT_POLICY=passive $(BIN)/jupyter-book build book --path-output . --config _config.yml --toc "$(CURDIR)/_toc.yml" -n -W --keep-going
	touch $@

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "import ensurepip" || { echo "Python's venv is missing: on Debian, apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --requirement requirements.lock
	$(BIN)/python -m pip install --no-deps --editable .
	touch $@

# Renew the lock. The book is built with this torch; readers get a range.
lock: .venv/ready
	$(BIN)/pip-compile --quiet --strip-extras --extra book --extra dev --extra cluster --upgrade --upgrade-package torch==2.13.0 \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+cpu$$/\1/' requirements.lock

clean:
	rm -rf .venv .venv-reader _build build *.egg-info
