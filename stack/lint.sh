#!/usr/bin/env bash
# Every lint, each with the command that reproduces it; all run, then the exit status says whether one failed.
cd "$(dirname "$0")/.." || exit 1
PATH=$PWD/.venv/bin:$PATH
failed=0

lint() {
  printf 'lint: %s\n' "$*"
  "$@" || { failed=1; printf 'lint: FAILED. Again: PATH=.venv/bin:$PATH %s\n' "$*" >&2; }
}

lint ruff check --quiet .
lint ruff format --check --quiet .
lint mypy
lint sqlfluff lint --disable-progress-bar db
lint squawk db/migrations/deploy/*.sql
lint circle27 db snapshot --check
lint python -m pytest -q tests/lints
lint bash -n stack/setup.sh
lint bash -n tests/run.sh
lint sh -n stack/serve.sh
[ "$failed" -eq 0 ] && echo 'lint: clean'
exit "$failed"
