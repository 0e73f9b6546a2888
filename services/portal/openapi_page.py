"""The description of the API as one page for people, complete in itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--key:#3067c4}
@media(prefers-color-scheme:dark){:root{--key:#8ab4ff}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}
pre{background:var(--soft);padding:.6rem;overflow-x:auto;border-radius:.3rem}
h2{border-bottom:1px solid var(--line);margin-top:2.5rem}
details{border:1px solid var(--line);border-radius:.3rem;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer}.verb{display:inline-block;min-width:5rem;font-weight:700}
a{color:var(--key)}table{border-collapse:collapse;width:100%}
td,th{border-top:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
"""
MAX_DEPTH = 4
JSON = "application/json"
"""How deep an example goes into what holds itself."""

Document = Mapping[str, Any]


def page(document: Document) -> str:
    """The page."""
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(info['title'])}: API</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])}: API</h1><p>{_text(info['description'])}</p>",
        '<p><a href="/openapi.json">The same for programs (OpenAPI 3.1)</a></p>',
        f"<h2>First steps</h2><pre>{escape(FIRST_STEPS)}</pre>",
        "<p>",
        " · ".join(f'<a href="#{tag["name"]}">{tag["name"]}</a>' for tag in document["tags"]),
        "</p>",
    ]
    for tag in document["tags"]:
        parts.append(f'<h2 id="{tag["name"]}">{tag["name"]}</h2><p>{_text(tag["description"])}</p>')
        parts += _operations(document, tag["name"])
    parts.append('<h2 id="messages">Messages</h2>')
    parts += [_message(name, schema) for name, schema in document["components"]["schemas"].items()]
    parts.append("</body></html>")
    return "".join(parts)


FIRST_STEPS = """\
TOKEN=$(curl -s localhost:8080/v1/sessions -H 'content-type: application/json' \\
  -d '{"tenant": "demo", "username": "ada", "password": "..."}' | jq -r .access_token)
curl -s localhost:8080/v1/me -H "authorization: Bearer $TOKEN"
curl -s 'localhost:8080/v1/queues?page.size=20' -H "authorization: Bearer $TOKEN"\
"""


def _operations(document: Document, tag: str) -> Iterator[str]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if tag in operation["tags"]:
                yield _operation(document, path, verb, operation)


def _operation(document: Document, path: str, verb: str, operation: Document) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    parameters = "".join(
        f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}"
        f"<td>{_type(each['schema'])}<td>{_text(each.get('description', ''))}"
        for each in operation["parameters"]
    )
    parts = [
        f'<details id="{operation["operationId"]}"><summary><span class=verb>{verb.upper()}</span>',
        f"<code>{escape(path)}</code> {_text(operation['summary'])}</summary>",
        f"<p>{_text(operation['description'])}</p>",
        f"<table><tr><th>Parameter<th>In<th>Type<th>{parameters}</table>" if parameters else "",
        f"<p>Body: {_content(body)}</p>" if body else "",
        f"<p>Answer: {_content(operation['responses']['200']['content'])}</p>",
        f"<pre>{escape(_curl(document, path, verb, body))}</pre></details>",
    ]
    return "".join(parts)


def _content(content: Document) -> str:
    kind, told = next(iter(content.items()))
    return _type(told["schema"]) if kind == JSON else escape(kind)


def _curl(document: Document, path: str, verb: str, body: Document) -> str:
    lines = [f"curl -s -X {verb.upper()} 'localhost:8080{path}'"]
    lines.append('  -H "authorization: Bearer $TOKEN"')
    for kind, told in body.items():
        lines.append(f"  -H 'content-type: {kind}'")
        if kind == JSON:
            lines.append(f"  -d '{json.dumps(_example(document, told['schema'], 0))}'")
        else:
            lines.append("  --data-binary @audio.wav")
    return " \\\n".join(lines)


def _example(document: Document, schema: Document, depth: int) -> Any:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _example(document, document["components"]["schemas"][name], depth)
    if schema.get("type") == "object":
        properties = schema.get("properties", {}) if depth < MAX_DEPTH else {}
        return {name: _example(document, inner, depth + 1) for name, inner in properties.items()}
    if schema.get("type") == "array":
        return [_example(document, schema["items"], depth + 1)] if depth < MAX_DEPTH else []
    if "enum" in schema:
        return schema["enum"][-1]
    return {"boolean": False, "string": "..."}.get(schema.get("type", ""), 0)


def _message(name: str, schema: Document) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code><td>{_type(inner)}"
        f"<td>{_text(inner.get('description', ''))}"
        for field, inner in schema.get("properties", {}).items()
    )
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{_text(schema.get('description', ''))}</p><table>{rows}</table></details>"
    )


def _type(schema: Document) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            return f"map to {_type(extra)}"
        names = ", ".join(schema.get("properties", {}))
        return f"object: {escape(names)}" if names else "object"
    if "enum" in schema:
        return escape(" | ".join(schema["enum"]))
    return escape(str(schema.get("type", "any")))


def _text(words: str) -> str:
    """Comments mark code by backticks."""
    parts = escape(words).split("`")
    odd = len(parts) % 2
    return "".join(
        f"<code>{part}</code>" if place % 2 and (odd or place < len(parts) - 1) else part
        for place, part in enumerate(parts)
    ).replace("\n\n", "<br>")
