"""Carillon's public REST API, as the launcher's own commands use it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from services.chassis.errors import CarillonError, Kind

TIMEOUT_S = 90.0
"""Publishing a flow renders its prompts: the first time, that takes a while."""


class Refused(CarillonError):
    """The API answered with a problem."""

    code: ClassVar[str] = "refused"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Problem:
    """What the API said when it refused (RFC 9457)."""

    status: int
    """Of HTTP."""
    code: str
    """Stable, for example `tenant-exists`."""
    detail: str
    """In words."""


class Api:
    """A client that is signed in, or not yet."""

    def __init__(self, address: str, *, authority: Path | None = None) -> None:
        """`address` is where portal listens, for example `http://127.0.0.1:8080`.

        `authority` is the certificate of who vouches for it, where that is not one of the world's.
        """
        trusted = ssl.create_default_context(cafile=authority)
        self._http = httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, verify=trusted)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def sign_in(self, tenant: str, username: str, password: str) -> dict[str, Any]:
        """Signs in; everything asked from then on is asked as this user."""
        body = {"tenant": tenant, "username": username, "password": password}
        session = await self.post("/v1/sessions", body)
        self._http.headers["Authorization"] = f"Bearer {session['access_token']}"
        return session

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Reads; Refused."""
        return self._taken(await self._http.get(path, params=query))

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Asks for something to be done; Refused."""
        return self._taken(await self._http.post(path, json=body))

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Creates or replaces; Refused."""
        return self._taken(await self._http.put(path, json=body))

    async def try_post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | Problem:
        """Like `post`, where a refusal is one of the answers hoped for."""
        answer = await self._http.post(path, json=body)
        return answer.json() if answer.is_success else _problem(answer)

    def _taken(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            problem = _problem(answer)
            where = f"{answer.request.method} {answer.request.url.path}"
            raise Refused(f"{where}: {problem.status} {problem.code}: {problem.detail}")
        taken: dict[str, Any] = answer.json() if answer.content else {}
        return taken


def _problem(answer: httpx.Response) -> Problem:
    try:
        said = answer.json()
    except ValueError:
        said = {}
    return Problem(
        status=answer.status_code,
        code=str(said.get("code", "")),
        detail=str(said.get("detail", answer.text[:200])),
    )
