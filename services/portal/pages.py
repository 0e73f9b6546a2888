"""The portal's pages: the files that the web application was built into."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response

ROOT = Path(__file__).parent / "web" / "dist"
FOREVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""What files are kept compressed as, best first."""
NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Carillon</title>
<style>:root{color-scheme:light dark}body{font:18px/1.6 system-ui,sans-serif;max-width:40rem;
margin:15vh auto;padding:0 1rem}</style></head><body><h1>Carillon</h1>
<p>This installation is running, but its pages were not built: run <code>make web</code>.
What people and programs can ask of it:</p>
<ul><li><a href="/docs">the API, to read</a></li>
<li><a href="/openapi.json">the API, for programs</a> (OpenAPI 3.1)</li>
<li><a href="/healthz">whether it is well</a></li></ul></body></html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    media_type: str
    encodings: tuple[str, ...]


class Pages:
    """Answers with the application's files, and with its one document for its addresses.

    Files under `/assets/` have names that change with what is in them: browsers keep them for
    good. Everything is listed once, at the start: no path from outside reaches the disk.
    """

    def __init__(self, root: Path = ROOT) -> None:
        """`root` is the folder that was built; a missing one is said on the page."""
        found = (path for path in root.rglob("*") if path.is_file()) if root.is_dir() else ()
        paths = {f"/{path.relative_to(root).as_posix()}": path for path in found}
        endings = tuple(ending for _, ending in ENCODINGS)
        self._files = {
            name: _File(
                path=path,
                media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                encodings=tuple(word for word, ending in ENCODINGS if f"{name}{ending}" in paths),
            )
            for name, path in paths.items()
            if not name.endswith(endings)
        }

    def find(self, path: str, headers: Headers) -> Response | None:
        """What a GET of this path gets; None: it is nothing of the application's."""
        if path != "/index.html" and (file := self._files.get(path)):
            return _answer(file, headers, FOREVER if path.startswith("/assets/") else ALWAYS_ASK)
        if path.startswith("/v1/") or "text/html" not in headers.get("accept", ""):
            return self._document(headers) if path == "/" else None
        return self._document(headers)

    def _document(self, headers: Headers) -> Response:
        if document := self._files.get("/index.html"):
            return _answer(document, headers, ALWAYS_ASK)
        return HTMLResponse(NOT_BUILT, headers={"cache-control": ALWAYS_ASK})


def _answer(file: _File, headers: Headers, cache: str) -> Response:
    words = (word.partition(";") for word in headers.get("accept-encoding", "").split(","))
    accepted = {word.strip() for word, _, rank in words if rank.strip() not in {"q=0", "q=0.0"}}
    kept = {"cache-control": cache, "vary": "accept, accept-encoding"}
    endings = dict(ENCODINGS)
    for encoding in file.encodings:
        if encoding in accepted:
            path = file.path.with_name(file.path.name + endings[encoding])
            kept["content-encoding"] = encoding
            return FileResponse(path, media_type=file.media_type, headers=kept)
    return FileResponse(file.path, media_type=file.media_type, headers=kept)
