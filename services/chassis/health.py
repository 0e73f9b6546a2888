"""Whether a process lives and takes work, for kubelets and load balancers, beside its metrics.

`/healthz`: 200 while the process's loop turns. `/readyz`: 200 `ok`; 429 `loaded`, when it has as
much work as it takes; 503 `starting` or `leaving`. gRPC's own health is told over mTLS, which no
kubelet speaks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from enum import StrEnum
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TURN_LIMIT_S = 2.0
"""For the loop to answer; a process whose loop stands still is started again."""


class State(StrEnum):
    """What a process does."""

    STARTING = "starting"
    OK = "ok"
    LOADED = "loaded"
    LEAVING = "leaving"


_STATUS = {
    State.STARTING: "503 Service Unavailable",
    State.OK: "200 OK",
    State.LOADED: "429 Too Many Requests",
    State.LEAVING: "503 Service Unavailable",
}


class Health:
    """The state of one process."""

    def __init__(self, loaded: Callable[[], bool] = lambda: False) -> None:
        """`loaded` tells whether there is as much work as is taken."""
        self._state = State.STARTING
        self._loaded = loaded
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def state(self) -> State:
        """What the process does now."""
        return State.LOADED if self._state is State.OK and self._loaded() else self._state

    def serves(self) -> None:
        """The process has started and takes work."""
        self._state = State.OK

    def leaves(self) -> None:
        """The process takes no new work."""
        self._state = State.LEAVING

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whose turning `/healthz` tells of."""
        self._loop = loop

    def answer(self, path: str) -> tuple[str, str] | None:
        """Status and text for a path; None: it is none of these. Called in another thread."""
        if path == "/healthz":
            return ("200 OK", "ok") if self._turns() else ("503 Service Unavailable", "stuck")
        if path == "/readyz":
            state = self.state
            return _STATUS[state], state.value
        return None

    def _turns(self) -> bool:
        if self._loop is None:
            return True
        turn = _turn()
        try:
            asyncio.run_coroutine_threadsafe(turn, self._loop).result(TURN_LIMIT_S)
        except TimeoutError:
            return False  # it stands still
        except RuntimeError:
            turn.close()
            return False  # it has ended
        return True


def serve(
    *, host: str, port: int, metrics: WSGIApplication, health: Health
) -> tuple[WSGIServer, int]:
    """Serves metrics and health by HTTP in threads of its own; the server and its port. OSError."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        told = health.answer(str(environ.get("PATH_INFO", "")))
        if told is None:
            return metrics(environ, start)
        status, text = told
        start(
            status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        )
        return [f"{text}\n".encode()]

    kind = _Server6 if ":" in host else _Server
    server = make_server(host, port, app, server_class=kind, handler_class=_Handler)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server, int(server.server_port)


async def _turn() -> None:
    """Nothing: that it is done is the answer."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10
    """Seconds for a request to come: nobody keeps a thread by silence."""

    def log_message(self, *_: Any) -> None:
        """A line for every scrape would drown what is worth reading."""
