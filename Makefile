# Every command a developer runs. A second call of any of them is quick.
SHELL := /bin/bash
PYTHON ?= python3
SERVE ?= 1
BIN := .venv/bin
GROUPS := --group site --group embedded --group train --group test
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
export PYTHONWARNINGS ?= ignore::RuntimeWarning:platformdirs.api

.PHONY: help setup demo test check fix serve bench lock

help:  ## list these commands
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/installed  ## make .venv and install what constraints.txt names

# torch's CPU build is asked for alone and first: later packages then find it and take no CUDA build.
.venv/installed: pyproject.toml constraints.txt locale/zh_Hans/LC_MESSAGES/django.po
	@echo "== making .venv and installing the packages (some minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt pip
	@$(INSTALL) torch==2.13.0
	@$(INSTALL) $(GROUPS)
	@$(BIN)/pybabel --quiet compile --directory locale --domain django
	@touch $@

demo: setup  ## the whole loop on the built-in field, then the site (SERVE=0 stops before it)
	@$(BIN)/python manage.py demo $(if $(filter 0,$(SERVE)),--no-serve,) $(ARGS)

serve: setup  ## web, workers, PostgreSQL and Redis in the foreground
	@$(BIN)/python manage.py serve $(ARGS)

test: setup  ## every test, and every check
	@echo "== checks"
	@$(MAKE) --no-print-directory check
	@echo "== tests"
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

bench: setup  ## every promise about speed, each as a ratio to a baseline of the same run (ARGS="--only imports")
	@$(BIN)/python -m tests.bench $(ARGS)

check: setup  ## format, lint, types, import contracts, migrations, deployment settings
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 8

fix: setup  ## format, and mend what the linter can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: setup  ## write the versions now installed into constraints.txt
	@$(BIN)/pip freeze --all --exclude setuptools --exclude wheel --disable-pip-version-check | sed -E 's/\+cpu$$//' > constraints.txt
