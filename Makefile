# Each target is one line of CONTRIBUTING.md; PYTHON is the interpreter that fastconv is installed in.
PYTHON ?= python3
MINUTES ?= 30

.PHONY: build check imports test bench fuzz

build:
	$(PYTHON) setup.py build_ext --inplace

check: imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q -x tests/test_lecture.py tests/test_semantics.py tests/test_plan.py

imports:
	$(PYTHON) -m pytest -q tests/test_imports.py

test:
	$(PYTHON) -m pytest

bench:
	$(PYTHON) -m pytest benchmarks --benchmark-group-by=param:problem

fuzz:
	$(PYTHON) -m tests.fuzz --minutes $(MINUTES)
