# Every target says what it does: `make help`.
.DEFAULT_GOAL := all
.PHONY: all help setup up down status test lint format bench clean

CIRCLE27 := .venv/bin/circle27

all: lint test ## lint and test

help: ## list the targets
	@grep -hE '^[a-z_-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what the project needs (idempotent)
	@stack/setup.sh

up: setup ## start the local stack
	@$(CIRCLE27) up

down: ## stop the local stack; data stays
	@$(CIRCLE27) down

status: ## addresses and health of the local stack
	@$(CIRCLE27) status

test: setup ## run all tests (arguments: make test ARGS='-k button')
	.venv/bin/python -m pytest $(ARGS)

lint: setup ## ruff, mypy, sqlfluff, squawk, snapshot
	stack/lint.sh

format: setup ## format the Python code
	.venv/bin/ruff check --fix -q . && .venv/bin/ruff format -q .

clean: down ## stop the stack and delete its data
	rm -rf .circle27
