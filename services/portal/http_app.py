"""Everything that portal answers over HTTP, put together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.portal import openapi, openapi_page, rest_audio
from services.portal.access import Registry
from services.portal.edge import Edge
from services.portal.openapi_comments import comments
from services.portal.rest import Rest
from services.portal.rest_paths import Paths

MAX_AGE_S = 300
HOME = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Carillon</title>
<style>:root{color-scheme:light dark}body{font:18px/1.6 system-ui,sans-serif;max-width:40rem;
margin:15vh auto;padding:0 1rem}</style></head><body><h1>Carillon</h1>
<p>This installation is running. What people and programs can ask of it:</p>
<ul><li><a href="/docs">the API, to read</a></li>
<li><a href="/openapi.json">the API, for programs</a> (OpenAPI 3.1)</li>
<li><a href="/healthz">whether it is well</a></li></ul></body></html>
"""

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
            b"frame-ancestors 'none'"
        ),
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(self)"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

Check = Callable[[], Awaitable[str]]
"""Says why no work can be taken; empty: it can."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the API is, written out once."""

    as_json: bytes
    """OpenAPI, for programs."""
    as_page: str
    """HTML, for people."""


def described(registry: Registry) -> Described:
    """The description of what is for outside."""
    document = openapi.document(registry, comments())
    return Described(
        as_json=json.dumps(document, ensure_ascii=False).encode(),
        as_page=openapi_page.page(document),
    )


def application(
    *, edge: Edge, registry: Registry, words: Described, feed: ASGIApp, unready: Check
) -> ASGIApp:
    """The application that the server runs."""
    cached = {"cache-control": f"public, max-age={MAX_AGE_S}"}

    async def home(_request: Request) -> Response:
        return HTMLResponse(HOME, headers=cached)

    async def docs(_request: Request) -> Response:
        return HTMLResponse(words.as_page, headers=cached)

    async def openapi_json(_request: Request) -> Response:
        return Response(words.as_json, media_type="application/json", headers=cached)

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        why = await unready()
        if not why:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": why}, 503, {"retry-after": "1"})

    audio = rest_audio.Audio(edge=edge, exposed=rest_audio.read_audio(registry))
    routes = [
        Route("/", home),
        Route("/docs", docs),
        Route("/openapi.json", openapi_json),
        Route("/healthz", alive),
        Route("/readyz", ready),
        WebSocketRoute("/v1/feed", feed),
        Route(rest_audio.PATH, audio),
        Route("/{path:path}", Rest(edge=edge, paths=Paths(registry))),
    ]
    return _Secured(Starlette(routes=routes))


class _Secured:
    """Tells every browser what it must not do with an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, secured)
