#!/usr/bin/env bash
# Runs npm in the web folder: the machine's own, or the one beside Node in .venv.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
node=$("$here/node.sh" -p process.execPath)
export PATH="$(dirname "$node"):$PATH"
own="$(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
if [ -f "$own" ]; then exec "$node" "$own" "$@"; fi
exec npm "$@"
