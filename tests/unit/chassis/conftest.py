from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.chassis.simulated import MemoryExchange
from tests.unit.chassis.echo import Peer, in_memory, over_socket


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A private folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        yield Path(folder)


@pytest.fixture(params=["socket", "memory", "memory, requests end first"])
async def peer(request: pytest.FixtureRequest, run_dir: Path) -> AsyncIterator[Peer]:
    """The echo service, over a real socket and in memory."""
    exchange = MemoryExchange(coin=lambda: request.param != "memory")
    async with (
        over_socket(run_dir) if request.param == "socket" else in_memory(exchange) as reached
    ):
        yield reached
