"""Passwords: Argon2id (RFC 9106) beside the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.portal.core.password_rules import normalised
from services.portal.model.errors import SignInBusy

T = TypeVar("T")

MAX_WAITING = 64
"""Passwords that wait for a thread; a further one is refused rather than late."""


class Passwords(Protocol):
    """Makes and checks password hashes."""

    async def hash(self, password: str) -> str:
        """A new hash, with its salt and parameters; SignInBusy."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; SignInBusy.

        Without a hash (nobody has that name) the same work is done, and the answer is False.
        """

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""

    async def close(self) -> None:
        """Ends what the checking needs."""


class InlinePasswords:
    """Checks within the event loop: for simulations, where no thread may be waited for."""

    def __init__(self, *, memory_kib: int = 8, passes: int = 1) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """See `Passwords.hash`."""
        return await self._run(lambda: self._hasher.hash(normalised(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """See `Passwords.verify`."""
        known = password_hash if password_hash is not None else self._nobody
        right = await self._run(lambda: self._matches(known, normalised(password)))
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """See `Passwords.outdated`."""
        return self._hasher.check_needs_rehash(password_hash)

    async def close(self) -> None:
        """Nothing is held."""

    async def _run(self, work: Callable[[], T]) -> T:
        return work()

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


class ThreadedPasswords(InlinePasswords):
    """Checks in a few threads (Argon2 releases the interpreter), so that calls never wait."""

    def __init__(
        self,
        *,
        memory_kib: int,
        passes: int,
        workers: int,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        super().__init__(memory_kib=memory_kib, passes=passes)
        self._threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="passwords")
        self._room = workers + max_waiting
        self._present = 0

    async def close(self) -> None:
        """Ends the threads; what waits for one is cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._present >= self._room:
            raise SignInBusy("too many passwords wait to be checked: try again in a moment")
        self._present += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._present -= 1
