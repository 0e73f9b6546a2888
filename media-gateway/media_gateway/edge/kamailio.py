"""Kamailio's JSON-RPC over its unix socket."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any, ClassVar

from services.chassis.errors import CarillonError, Kind

ANSWER_WITHIN_S = 2.0


class KamailioAway(CarillonError):
    """Kamailio does not run, or does not answer."""

    code: ClassVar[str] = "kamailio-away"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class KamailioRefused(CarillonError):
    """Kamailio does not do what it was asked."""

    code: ClassVar[str] = "kamailio-refused"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Kamailio:
    """One at a time is asked: answers have no other order."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the edge's own, with Kamailio's socket in it."""
        self._socket = folder / "rpc.sock"
        self._turn = asyncio.Lock()
        self._last = 0

    async def ask(self, method: str, *params: str | int) -> Any:
        """The result of an RPC; KamailioAway, KamailioRefused."""
        async with self._turn:
            self._last += 1
            asked = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}
            answer = await self._exchange(json.dumps(asked).encode())
        if "error" in answer:
            raise KamailioRefused(f"{method}: {answer['error'].get('message', 'no reason')}")
        return answer.get("result")

    async def _exchange(self, asked: bytes) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.settimeout(0)
            try:
                # A name of the kernel's choice (unix(7), autobind): answers need one, no file does.
                own.bind("")
                own.connect(str(self._socket))
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    await loop.sock_sendall(own, asked)
                    while True:
                        answer: dict[str, Any] = json.loads(await loop.sock_recv(own, 65_536))
                        if answer.get("id") == self._last:
                            return answer
            except (OSError, TimeoutError, ValueError) as error:
                raise KamailioAway(f"{self._socket}: {error or 'no answer'}") from error
