# Every target says what it does: `make help`.
.DEFAULT_GOAL := all
.PHONY: all help setup up down status demo test mutate fuzz faults lint format bench bench-matching clean

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

demo: setup ## start the stack and play one day of a campus in fast motion
	@$(CIRCLE27) up
	@$(CIRCLE27) demo

test: setup ## run all tests (arguments: make test ARGS='-k button')
	$(if $(ARGS),.venv/bin/python -m pytest $(ARGS),tests/run.sh)

mutate: setup ## take away, one at a time, what keeps members apart; a test must go red (ARGS='--only app.my_mates')
	.venv/bin/python -m tests.mutation $(ARGS)

fuzz: setup ## 10,000 calls as every role, drawn from the OpenAPI document (ARGS='--calls 2000 --seed 5')
	.venv/bin/python -m tests.fuzz $(ARGS)

faults: setup ## 100 seeded runs through two deadlines while processes are killed (ARGS='--runs 5 --first 42')
	.venv/bin/python -m tests.realtime.history $(ARGS)

lint: setup ## ruff, mypy, sqlfluff, squawk, snapshot
	stack/lint.sh

format: setup ## format the Python code
	.venv/bin/ruff check --fix -q . && .venv/bin/ruff format -q .

bench: setup ## everything against something, and docs/performance.md (an hour; needs wrk, 20 GB and a stack with CIRCLE27_RATE_LIMITS=off)
	.venv/bin/pip install -q -e '.[bench,load]'
	.venv/bin/python -m bench.deadline.run
	.venv/bin/python -m bench.deadline.run --members 2000 --rounds 1 --after 40
	.venv/bin/python -m bench.peers.run
	.venv/bin/python -m bench.join.run
	.venv/bin/python -m bench.outbox.run
	.venv/bin/python -m bench.plans.run
	.venv/bin/python -m bench.row_security.run
	.venv/bin/python -m bench.restarts.run
	.venv/bin/python -m bench.growth.run
	-$(MAKE) bench-matching
	.venv/bin/python -m bench.report

bench-matching: setup ## the matching: times, simulated campuses, social golfers, beside others (ten minutes; exits with 1 where a budget is missed)
	.venv/bin/python -m bench.matching.run $(ARGS)

clean: ## stop the stack and delete its data
	@[ ! -x $(CIRCLE27) ] || $(CIRCLE27) down
	@stack="$${CIRCLE27_HOME:-.circle27}"; [ ! -e "$$stack/stack.json" ] || rm -rf "$$stack"
