"""The boards that supervisors look at: each followed once, however many look."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from grpc import StatusCode, aio

from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.portal.feed_floor import (
    AgentsBoard,
    AlarmsBoard,
    Board,
    Dial,
    LiveBoard,
    WaitingBoard,
)
from services.portal.feed_topic import Topic

log = get_logger("portal.boards")

RETRY_S = (0.1, 0.5, 1.0, 2.0)
"""How long a lost stream waits before it is opened again, the last for ever after."""
UNKNOWN_RETRY_S = 10.0
"""The same for a stream that the service does not know: it is older than this process."""


class Make(Protocol):
    """Makes a tenant's board."""

    def __call__(self, *, dial: Dial, tenant_id: TenantId) -> Board:
        """The board, not followed yet."""


BOARDS: Final[Mapping[str, Make]] = MappingProxyType(
    {"agents": AgentsBoard, "waiting": WaitingBoard, "live": LiveBoard, "alarms": AlarmsBoard}
)


class Boards:
    """The boards that somebody looks at in this process."""

    def __init__(self, *, dial: Dial) -> None:
        self._dial = dial
        self._tasks = Tasks()
        self._open: dict[tuple[str, TenantId], _Followed] = {}

    @contextlib.asynccontextmanager
    async def held(self, name: str, tenant_id: TenantId) -> AsyncIterator[Topic]:
        """A board's changes, followed at least as long as the context lasts."""
        key = name, tenant_id
        followed = self._open.get(key)
        if followed is None:
            board = BOARDS[name](dial=self._dial, tenant_id=tenant_id)
            followed = self._open[key] = _Followed(board)
            followed.task = self._tasks.start(
                _keep(followed.board), f"{name} of {tenant_id}", about=(tenant_id, "")
            )
        followed.users += 1
        try:
            yield followed.board.topic
        finally:
            followed.users -= 1
            if not followed.users:
                del self._open[key]
                assert followed.task is not None, "started above"
                followed.task.cancel()

    async def close(self) -> None:
        """Ends all of them."""
        await self._tasks.close()


class _Followed:
    """A board with its followers counted."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.users = 0
        self.task: asyncio.Task[None] | None = None


async def _keep(board: Board) -> None:
    """Follows for ever, and again whenever the stream is lost."""
    failures = 0
    while True:
        before = board.topic.number
        pause_s = 0.0
        try:
            await board.follow()
        except aio.AioRpcError as error:
            log.info("a board is not followed", why=error.details())
            pause_s = UNKNOWN_RETRY_S if error.code() is StatusCode.UNIMPLEMENTED else 0.0
        except Exception as error:  # or whoever looks at it would never see it change again
            log.error("a board is not followed", exc_info=error)
        failures = 0 if board.topic.number != before else failures + 1
        await asyncio.sleep(pause_s or RETRY_S[min(failures, len(RETRY_S) - 1)])
