# make check | make book | make page NAME=highway | make test | make drawings | make notebooks | make address
# make pdf | make archive | make course | make bench | make lint | make lock | make clean
# Each target does all the set-up it needs; a second call does only what has changed.

PYTHON ?= python3.11
BIN    := .venv/bin
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal
BUILD  := $(BIN)/jupyter-book build book --config _config.yml
PAGES  := $(wildcard book/*.md book/*.yml book/*.bib book/*.js book/widgets/*.js book/_static/* book/_static/drawings/*) CITATION.cff
CODE   := $(wildcard shattered_lite/*.py shattered_lite/*/*.py shattered_lite/*/*/*.py tools/*.py tools/templates/*.html tools/templates/*/*) _config.yml _toc.yml pyproject.toml

.PHONY: check book page test course drawings notebooks address pdf archive bench lint lock clean
.DELETE_ON_ERROR:

# Everything that needs no built page, and takes no more than minutes.
check: lint
	$(PYTEST) -m "not pages and not slow"

book: _build/html/index.html

# One chapter, to look at: without the numbers of the others, and with links to them that lead nowhere.
page: .venv/ready
	$(if $(NAME),,$(error NAME: which chapter? For example, make page NAME=highway))
	rm -rf _build/page
	$(BIN)/python -m tools.execute $(NAME) --build _build/page/_build
	printf 'format: jb-book\nroot: %s\n' $(NAME) > _build/page/_toc.yml
	$(BUILD) -qq --path-output _build/page --toc "$(CURDIR)/_build/page/_toc.yml"
	@echo "Look at _build/page/_build/html/$(NAME).html"

test: _build/html/index.html
	$(PYTEST)

# A folder for a teacher, _build/course: slides, notebooks without solutions, assignments, exam bank, figures.
course: _build/html/index.html
	$(BIN)/python -m tools.course

# The chapters show book/_static/drawings as committed; a test holds them fresh.
drawings: .venv/ready
	$(BIN)/python -m tools.drawings

notebooks: address _build/html/index.html
	$(BIN)/python -m tools.colab
	$(BIN)/python -m tools.picture

# README, citation, start page and the pages of the package and for teachers take the project's addresses from pyproject.toml.
address: .venv/ready
	$(BIN)/python -m tools.address

# The whole book, printed by Chromium: _build/shattered-gradients.pdf. Minutes.
pdf: _build/html/index.html
	$(BIN)/python -m tools.pdf

# The pages in a zip, to be read from a disk: _build/shattered-gradients.zip.
archive: _build/html/index.html
	$(BIN)/python -m tools.archive

# The one of the pages needs them built.
bench: .venv/ready
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/modules.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/loop.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

# Chapters whose code, package and environment are as before are not executed again. The pages are built from nothing:
# a failure cannot hide behind an earlier success, nor an old number behind a new page.
_build/html/index.html: .venv/ready $(PAGES) $(CODE)
	rm -rf _build
	$(BIN)/python -m tools.ledger
	$(BIN)/python -m tools.practice
	$(BIN)/python -m tools.execute
	$(BUILD) --path-output . --toc "$(CURDIR)/_toc.yml" -n -W --keep-going
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
	rm -rf .venv .venv-reader .executed _build build *.egg-info
