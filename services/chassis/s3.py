"""An S3 server, asked through the `minio` client by threads of our own, within limits of time.

The client blocks, so each request runs in one of a bounded number of threads, never in the event
loop's own. A connection that is lost, a server that is busy, and an answer that does not come are
asked again after a pause, as often as the time allows: everything that is asked here can be.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from minio import Minio
from pydantic import SecretStr
from urllib3 import PoolManager, Timeout

from services.chassis.errors import CarillonError, Kind
from services.chassis.metrics import Reading, Spread
from services.chassis.objects import StorageFull, StorageRefused, StorageUnavailable
from services.chassis.s3_errors import named

T = TypeVar("T")

MAX_THREADS = 64
MAX_WAITING = 2_000
"""Requests that wait for a thread; further ones are refused at once."""
MAX_RETENTION_DAYS = 36_500
ATTEMPTS = 4
FIRST_PAUSE_S = 0.1
"""Before the second attempt, at most; it doubles."""
CONNECT_TIMEOUT_S = 5.0
"""Also what sending one part may take."""
SLOWEST_BYTES_S = 1024 * 1024
"""Large objects get a second more for each MiB."""
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Bounds of how long requests took."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BadS3Address(CarillonError):
    """What was said of an S3 server contradicts itself; the text begins with the setting."""

    code: ClassVar[str] = "bad-s3-address"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where an S3 server is, who asks it, and how what is kept there is held."""

    endpoint: str
    """`https://s3.example:9000`; nothing after the port."""
    access_key: str
    """Who asks."""
    secret_key: SecretStr
    """How that is proved."""
    bucket: str
    """The one bucket; each use has its own prefix in it."""
    region: str = "us-east-1"
    """The bucket's; MinIO's unless told otherwise."""
    ca_file: Path | None = None
    """Who vouches for the server's certificate, as PEM; None: whom this machine trusts."""
    path_style: bool = True
    """The bucket is in the URL's path; false: it is part of the host's name."""
    worm: bool = False
    """What closes a case is written once: held by the server until its retention has passed."""
    retention_days: int = 365
    """How long that is, from the moment of writing."""
    threads: int = 8
    """Requests at once."""
    timeout_s: float = 8.0
    """For one request of up to a MiB, all attempts together; gateways wait 10 s for a segment."""
    key_file: Path | None = None
    """Private keys that blobs are sealed for, one per line in hex, the present one last.

    None: blobs are kept as they are.
    """

    def __post_init__(self) -> None:
        """Raises BadS3Address."""
        _check_endpoint(self.endpoint)
        if not self.access_key or not self.secret_key.get_secret_value():
            raise BadS3Address("access_key, secret_key: both are needed")
        if not _BUCKET.fullmatch(self.bucket) or ".." in self.bucket:
            raise BadS3Address(
                f"bucket: {self.bucket!r} is none: 3 to 63 of a-z, 0-9, dots and dashes"
            )
        if not 1 <= self.threads <= MAX_THREADS:
            raise BadS3Address(f"threads: {self.threads} is not from 1 to {MAX_THREADS}")
        if not 1 <= self.retention_days <= MAX_RETENTION_DAYS:
            raise BadS3Address(
                f"retention_days: {self.retention_days} is not from 1 to {MAX_RETENTION_DAYS}"
            )
        if not 0 < self.timeout_s <= 300:
            raise BadS3Address(f"timeout_s: {self.timeout_s} is not above 0 and at most 300")


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError as error:
        raise BadS3Address(f"endpoint: {error}") from None
    said = parts.username or parts.password or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or said or port == 0:
        raise BadS3Address("endpoint: must be like https://s3.example or http://10.0.0.1:9000")
    if parts.path not in ("", "/"):
        raise BadS3Address(f"endpoint: nothing may follow the port, but {parts.path!r} does")


class S3:
    """One server. What uses it is `S3Objects` and `S3Blobs`, which may share it."""

    def __init__(self, address: S3Address) -> None:
        """Connects to nothing yet; BadS3Address when the CA file cannot be used."""
        self.address = address
        """As it was told."""
        self._client = _client(address)
        self._threads = ThreadPoolExecutor(address.threads, thread_name_prefix="s3")
        self._waiting = 0
        self.retries = 0
        """Requests that were asked again."""
        self._failed: Counter[str] = Counter()
        self._seconds = Spread(SECONDS)

    @property
    def failures(self) -> int:
        """Requests that failed for good."""
        return self._failed.total()

    @property
    def waiting(self) -> int:
        """Requests that are not answered yet."""
        return self._waiting

    async def ask(self, work: Callable[[Minio], T], *, about: str, size: int = 0) -> T:
        """What `work` gives, which a thread does, again if need be: it must bear that.

        `about` is what errors say it was about; `size` in bytes gives large ones more time.
        StorageUnavailable, StorageFull, StorageRefused, NoSuchObject.
        """
        limit_s = self.address.timeout_s + size / SLOWEST_BYTES_S
        if self._waiting >= MAX_WAITING:
            self._failed[StorageUnavailable.code] += 1
            raise StorageUnavailable(f"{about}: {MAX_WAITING} requests wait for S3 already")
        began_s = monotonic()
        self._waiting += 1
        try:
            async with asyncio.timeout(limit_s):
                return await self._insist(work, about)
        except TimeoutError:
            self._failed[StorageUnavailable.code] += 1
            raise StorageUnavailable(f"{about}: S3 did not answer in {limit_s:.1f} s") from None
        except (StorageUnavailable, StorageRefused, StorageFull) as error:
            self._failed[error.code] += 1
            raise
        finally:
            self._waiting -= 1
            self._seconds.see(monotonic() - began_s)

    def readings(self) -> Iterator[Reading]:
        """How the storage fares, as the process shows it."""
        yield Reading(
            "carillon_storage_waiting",
            "Requests that the storage has not answered yet.",
            self._waiting,
        )
        yield self._seconds.reading(
            "carillon_storage_seconds",
            "Seconds from a request to the storage to its end, all attempts together.",
        )
        yield Reading(
            "carillon_storage_retries_total",
            "Requests that were asked again.",
            self.retries,
            kind="counter",
        )
        for error in (StorageUnavailable, StorageRefused, StorageFull):
            yield Reading(
                "carillon_storage_failures_total",
                "Requests that failed for good, by the error's code.",
                self._failed[error.code],
                (("code", error.code),),
                "counter",
            )

    async def close(self) -> None:
        """Lets go of threads and connections; what is under way ends by its own limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _insist(self, work: Callable[[Minio], T], about: str) -> T:
        until_s = monotonic() + self.address.timeout_s
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._in_thread(work, about)
            except StorageUnavailable:
                # Also where more time is given: that is for the bytes, not for a server's silence.
                if monotonic() > until_s:
                    raise
                self.retries += 1
            # Processes that a server has turned away do not come back all at once.
            pause_s = random.uniform(0, FIRST_PAUSE_S * 2**attempt)  # noqa: S311 (no secret)
            await asyncio.sleep(pause_s)
        return await self._in_thread(work, about)

    async def _in_thread(self, work: Callable[[Minio], T], about: str) -> T:
        def asked() -> T:
            with named(about):
                return work(self._client)

        return await asyncio.get_running_loop().run_in_executor(self._threads, asked)


def _client(address: S3Address) -> Minio:
    parts = urlsplit(address.endpoint)
    secure = parts.scheme == "https"
    client = Minio(
        endpoint=parts.netloc,
        access_key=address.access_key,
        secret_key=address.secret_key.get_secret_value(),
        secure=secure,
        region=address.region,
        http_client=PoolManager(
            maxsize=address.threads,
            # Redirects are not followed and nothing is asked again by the library: see `S3.ask`.
            retries=False,
            timeout=Timeout(connect=CONNECT_TIMEOUT_S, read=address.timeout_s),
            ssl_context=_trusting(address.ca_file) if secure else None,
        ),
    )
    if address.path_style:
        client.disable_virtual_style_endpoint()  # type: ignore[no-untyped-call]  # the library's
    else:
        client.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]  # the library's
    return client


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadS3Address(f"CARILLON_S3_CA: {ca_file} cannot be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
