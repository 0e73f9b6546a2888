"""A crm that is as ill as a test wants it: a real gRPC server on the service's own socket."""

from __future__ import annotations

import asyncio
import random
from enum import StrEnum
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from protos.crm.v1 import crm_pb2
from services.chassis.rpc_door import UnixDoor

MiB = 1024 * 1024
GRACE_S = 0.1


class Illness(StrEnum):
    """What is wrong with it."""

    NOTHING = "nothing"
    """Everybody is a customer that it knows."""
    SLOW = "slow"
    """It takes every request, and answers none for as long as it is ill."""
    FAILS = "fails"
    """It answers with an error, at once."""
    GARBAGE = "garbage"
    """It answers with bytes that are no message at all."""
    WRONG = "wrong"
    """It answers with a card that cannot be: known, and nobody."""
    OVERSIZE = "oversize"
    """It answers with more than a client takes."""
    AWAY = "away"
    """Nobody listens."""


ILL = tuple(illness for illness in Illness if illness is not Illness.NOTHING)


class IllCrm:
    """Stands in for crm, which must not run; `requests` and `answers` are the look-ups so far."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._illness = Illness.NOTHING
        self._well = asyncio.Event()
        self._server: aio.Server | None = None
        self._door: UnixDoor | None = None
        self._noise = random.Random(1)
        self.requests = 0
        self.answers = 0

    async def becomes(self, illness: Illness) -> None:
        """From now on."""
        was, self._illness = self._illness, illness
        if illness is Illness.SLOW:
            self._well.clear()
        else:
            self._well.set()
        if illness is Illness.AWAY:
            await self.stop()
        elif self._server is None or was is Illness.AWAY:
            await self._start()

    async def stop(self) -> None:
        """Cuts off whoever is connected."""
        self._well.set()
        if self._server is not None and self._door is not None:
            await self._server.stop(GRACE_S)
            self._door.close()
            self._server = self._door = None

    async def _start(self) -> None:
        # Bytes in, bytes out: what a service's own server would refuse to say is said here.
        handlers: dict[str, Any] = {"LookUp": grpc.unary_unary_rpc_method_handler(self._look_up)}
        server = aio.server(options=(("grpc.max_send_message_length", -1),))
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("carillon.crm.v1.Crm", handlers),)
        )
        door = UnixDoor(self._socket)
        door.hang(server)
        await server.start()
        door.opened()
        self._server, self._door = server, door

    async def _look_up(self, request: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        self.requests += 1
        await self._well.wait()
        self.answers += 1
        number = crm_pb2.LookUpRequest.FromString(request).number
        anna = crm_pb2.Customer(customer_id="c1", name="Anna", segment="vip", numbers=[number])
        match self._illness:
            case Illness.FAILS:
                await context.abort(grpc.StatusCode.INTERNAL, "no")
            case Illness.GARBAGE:
                return b"\xff" + self._noise.randbytes(2_000)
            case Illness.WRONG:
                return crm_pb2.CustomerCard(known=True).SerializeToString()
            case Illness.OVERSIZE:
                anna.note = "x" * 5 * MiB
            case _:
                pass
        return crm_pb2.CustomerCard(known=True, customer=anna).SerializeToString()
