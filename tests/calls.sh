#!/usr/bin/env bash
# Runs tests of real calls: calls.sh <arguments of pytest>.
# Real calls have real clocks, and a machine that others keep busy may be late for one of them. So at
# most two tests that fail are tried once more, alone, and named whatever comes of it: a test that is
# named again and again has something wrong with it. Three that fail are no chance.
set -euo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest -q)
most=2

cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
status=0
"${pytest[@]}" -o cache_dir="$cache" "$@" || status=$?
# 1: tests failed. Whatever else it is (nothing collected, cut short) is no matter of being late.
[ "$status" -eq 1 ] || exit "$status"

mapfile -t failed < <(.venv/bin/python -c 'import json, sys
print("\n".join(json.load(open(sys.argv[1]))))' "$cache/v/cache/lastfailed")
printf '\nFailed: %s\n' "${failed[@]}"
[ "${#failed[@]}" -le "$most" ] || exit 1
echo "Trying once more, alone:"
# The first try's seeds and orders are not repeated: it is the hour that is in question.
"${pytest[@]}" -n 0 "${failed[@]}"
printf 'Passed at the second try: %s\n' "${failed[@]}"
