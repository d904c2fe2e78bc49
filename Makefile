# Every verb of work on descend. The first one that needs it makes the virtual environment .venv;
# it is made again when pyproject.toml or constraints.txt changes.
# Options: PYTHON=python3.12 names the interpreter; PIP_FLAGS=... is handed to pip install.

VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS ?=
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench docs screenshots clean
.NOTPARALLEL:

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.run ## fit the textbook line by hand and by autograd, and a real data set; pictures in demo/
	@mkdir -p demo
	cd demo && ../$(BIN)/descend generate "y = 2*x + 2*uniform()" --column "x=0:10:0.1" --rows 100 --seed 0 --output line.csv
	cd demo && ../$(BIN)/python ../examples/by_hand.py
	cd demo && ../$(BIN)/python ../examples/autograd.py
	cd demo && ../$(BIN)/descend fit "response ~ exp(-b1*distance) / (b2 + b3*distance)" ../examples/data/chwirut2.csv \
	  --start b1=0.1 --start b2=0.01 --start b3=0.02 --save chwirut2.json --plot chwirut2.png
	@ls demo/*.png

test: $(VENV)/.dev ## run the tests and the examples in the docstrings
	$(BIN)/python -m pytest -n 2 -m "not slow" --doctest-modules tests src

lint: $(VENV)/.dev ## style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/fault.yml .github/ISSUE_TEMPLATE/wish.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	@for page in README.md README.zh-CN.md CONTRIBUTING.md CHANGELOG.md; do \
	  test -s $$page || { echo "$$page is missing or empty."; exit 1; }; done

bench: $(VENV)/.dev ## time descend beside its rivals; digits on NIST's problems; coverage of intervals; many rows
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/textbook.py
	$(BIN)/python benchmarks/small.py
	$(BIN)/python benchmarks/small.py --grid --rounds 3
	$(BIN)/python benchmarks/curve_fit.py
	$(BIN)/python benchmarks/groups.py
	$(BIN)/python benchmarks/arrow.py
	$(BIN)/python benchmarks/nist.py tests/results/nist
	$(BIN)/python benchmarks/digits.py tests/results/nist
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/preflight.py
	$(BIN)/python benchmarks/diagnosis.py
	$(BIN)/python benchmarks/court.py --formulas 50
	$(BIN)/python benchmarks/figures.py
	$(BIN)/python benchmarks/scale

docs: $(VENV)/.dev ## build the site into site/: pages run, links are followed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

screenshots: $(VENV)/.dev ## take the pictures of the report and the lab in docs/images, with Chromium
	$(BIN)/python docs/screenshots.py

clean: ## remove what the other verbs made, .venv included
	rm -rf $(VENV) demo dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing descend into $(VENV); the first time this takes a few minutes."
	$(INSTALL) -e '.[torch]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing descend and its test tools into $(VENV); the first time this takes a few minutes."
	$(INSTALL) -e '.[all,bench,dev]'
	@touch $(VENV)/.run $@

# The newest name is not the best: plain python3 is what people use, if it is new enough and can make a venv.
$(BIN)/python:
	@for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec $$python -m venv $(VENV); fi; done; \
	echo "No Python 3.11 or newer with the venv module was found. Install one (on Debian: python3 and python3-venv),"; \
	echo "or name it: make PYTHON=/path/to/python3.11 demo"; exit 1
