#!/usr/bin/env bash
# Writes the API's types from the API's own description; with --check, says whether they are current.
set -euo pipefail
cd "$(dirname "$0")/.."
root=../../..
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
(cd "$root" && .venv/bin/python -c '
import json
from services.portal import openapi
from services.portal.access import Registry
from services.portal.openapi_comments import comments
print(json.dumps(openapi.document(Registry(), comments())))
') >"$made/openapi.json"
scripts/node.sh node_modules/.bin/openapi-typescript "$made/openapi.json" -o "$made/schema.d.ts" >/dev/null
if [ "${1:-}" = --check ]; then
  cmp -s "$made/schema.d.ts" src/api/schema.d.ts && exit 0
  echo "services/portal/web/src/api/schema.d.ts is not current: run make protos" >&2
  exit 1
fi
cp "$made/schema.d.ts" src/api/schema.d.ts
