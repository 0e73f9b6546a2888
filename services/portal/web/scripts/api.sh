#!/usr/bin/env bash
# Writes the API's types from the API's own description.
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
cp "$made/schema.d.ts" src/api/schema.d.ts
