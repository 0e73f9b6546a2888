"""Everything that portal answers over HTTP, put together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from services.portal import openapi, openapi_page, rest_audio, rest_prompts
from services.portal.access import Registry
from services.portal.edge import Edge
from services.portal.figures import Figures
from services.portal.openapi_comments import comments
from services.portal.pages import Pages
from services.portal.problem import Problem
from services.portal.rest import Rest, problem_response
from services.portal.rest_paths import Paths

MAX_AGE_S = 300
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
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(self)"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

FEED = "/v1/feed"
Page = Callable[[], Awaitable[Response]]
"""Makes a page that is no RPC's answer."""
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
    *,
    edge: Edge,
    registry: Registry,
    words: Described,
    feed: ASGIApp,
    unready: Check,
    figures: Figures | None = None,
) -> ASGIApp:
    """The application that the server runs; `figures` counts its answers."""
    cached = {"cache-control": f"public, max-age={MAX_AGE_S}"}

    async def ready() -> Response:
        why = await unready()
        if not why:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": why}, 503, {"retry-after": "1"})

    audio = rest_audio.read_audio(registry)
    pages: dict[str, Page] = {
        "/docs": _always(HTMLResponse(words.as_page, headers=cached)),
        "/openapi.json": _always(
            Response(words.as_json, media_type="application/json", headers=cached)
        ),
        "/healthz": _always(JSONResponse({"status": "ok"})),
        "/readyz": ready,
    }
    brought = rest_prompts.put_audio(registry)
    heard = rest_prompts.read_audio(registry)
    rest = Rest(
        edge=edge,
        paths=Paths([*registry, audio, brought, heard]),
        special={
            audio.path: rest_audio.Audio(edge=edge, exposed=audio).answer,
            brought.path: rest_prompts.Uploads(edge=edge, exposed=brought).answer,
            heard.path: rest_prompts.Sounds(edge=edge, exposed=heard).answer,
        },
    )
    return _Secured(_Front(pages=pages, web=Pages(), feed=feed, rest=rest), figures or Figures())


def _always(response: Response) -> Page:
    async def page() -> Response:
        return response

    return page


class _Front:
    """Sends each request to what answers it."""

    def __init__(self, *, pages: dict[str, Page], web: Pages, feed: ASGIApp, rest: ASGIApp) -> None:
        self._pages = pages
        self._web = web
        self._feed = feed
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] == "websocket":
            await (self._feed if path == FEED else WebSocketClose())(scope, receive, send)
        elif path in self._pages:
            await (await self._page(scope))(scope, receive, send)
        elif file := self._file(scope):
            await file(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _file(self, scope: Scope) -> Response | None:
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        return self._web.find(scope["path"], Headers(scope=scope))

    async def _page(self, scope: Scope) -> Response:
        if scope["method"] in {"GET", "HEAD"}:
            return await self._pages[scope["path"]]()
        detail = f"{scope['method']} is not one of GET, HEAD"
        allow = (("allow", "GET, HEAD"),)
        problem = Problem(405, "method-not-allowed", detail, headers=allow)
        return problem_response(problem.at(scope["path"]))


class _Secured:
    """Tells every browser what it must not do with an answer, and counts the answers."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._figures.answer(message["status"])
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, secured)
