"""Kamailio with the edge's configuration in front of SIP phones that stand for gateways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.launcher.parts.kamailio import Kamailio
from services.launcher.ports import free_port
from tests.softphone import CallRefused, SoftPhone
from tests.softphone.incoming import IncomingCall, Policy

NUMBER = "+12025550100"


@dataclass(slots=True)
class Edge:
    """The edge, and those that it gives calls to."""

    kamailio: Kamailio
    gateways: list[SoftPhone]

    @property
    def address(self) -> tuple[str, int]:
        return self.kamailio.host, self.kamailio.port

    @property
    def uri(self) -> str:
        """What callers dial."""
        return f"sip:{NUMBER}@{self.kamailio.host}:{self.kamailio.port}"

    async def arrival(self) -> IncomingCall:
        """The call that some gateway gets."""
        waiting = {asyncio.ensure_future(gateway.incoming()) for gateway in self.gateways}
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return done.pop().result()


def gateways_list(gateways: Mapping[str, tuple[str, int]]) -> str:
    """The list as the feeding program writes it, all taking calls."""
    return "".join(
        f"1 sip:{host}:{port} 0 0 gateway={name}\n" for name, (host, port) in gateways.items()
    )


async def taken(kamailio: Kamailio, caller: SoftPhone) -> bool:
    """Whether a call is answered."""
    call = await caller.call(f"sip:{NUMBER}@{kamailio.host}:{kamailio.port}")
    try:
        await call.answered()
    except CallRefused:
        return False
    await call.hangup()
    return True


@asynccontextmanager
async def edge_of(
    folder: Path,
    *policies: Policy | None,
    trunks: Mapping[str, str] | None = None,
    flood: int = 1_000_000,
    absent: int = 0,
) -> AsyncIterator[Edge]:
    """An edge before gateways g1, g2 ..., one for each policy; none of them may find fault.

    `absent`: so many more, the first on the list, that nobody listens for.
    """
    async with AsyncExitStack() as stack:
        gateways = [
            await stack.enter_async_context(SoftPhone(user=f"g{n}", auto=policy))
            for n, policy in enumerate(policies, 1)
        ]
        named = {f"gone{n}": ("127.0.0.1", free_port()) for n in range(absent)}
        named |= {f"g{n}": gateway.address for n, gateway in enumerate(gateways, 1)}
        await asyncio.to_thread(folder.mkdir, mode=0o700)
        await asyncio.to_thread((folder / "gateways.list").write_text, gateways_list(named))
        kamailio = Kamailio(folder=folder, port=free_port(), trunks=trunks, flood=flood)
        await stack.enter_async_context(kamailio)
        try:
            yield Edge(kamailio, gateways)
        except BaseException as error:
            error.add_note(kamailio.child.tail(40))
            raise
        assert [fault for gateway in gateways for fault in gateway.faults] == []
