#!/usr/bin/env bash
# All tests, in two halves side by side: most of their time they wait for servers, and each half has its own.
# The first is shown as it goes, the second when it has ended.
cd "$(dirname "$0")/.." || exit 1
first=(tests/bench tests/cli tests/docs tests/load tests/migrations tests/reference)
said=$(mktemp)
trap 'rm -f "$said"; kill "$other" 2>/dev/null' EXIT

.venv/bin/python -m pytest -p no:cacheprovider "${first[@]/#/--ignore=}" >"$said" 2>&1 &
other=$!
.venv/bin/python -m pytest "${first[@]}"
failed=$?
wait "$other" || failed=1
cat "$said"
exit "$failed"
