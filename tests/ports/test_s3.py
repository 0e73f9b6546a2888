"""The way to an S3 server: what is asked again, what is refused, and within which limits."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.chassis import s3 as s3_module
from services.chassis.blobs_s3 import S3Blobs
from services.chassis.lifecycle import Running
from services.chassis.objects import (
    NoSuchObject,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)
from services.chassis.objects_s3 import S3Objects
from services.chassis.s3 import S3, BadS3Address, S3Address
from services.chassis.s3_lock import BucketUnusable, check_bucket, make_bucket
from services.chassis.world import local_world
from services.launcher.certificates import certify
from services.launcher.parts.minio import MinioServer, ServerFiles
from services.launcher.ports import LOOPBACK, free_port
from tests.stage.fake_s3 import FakeS3, fake_s3
from tests.stage.s3 import address_of, fresh_bucket, running_minio


def bad(status: str, code: str = "") -> bytes:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
    kind = "Content-Type: application/xml\r\n" if code else ""
    return f"HTTP/1.1 {status}\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def at(fake: FakeS3, **said: Any) -> S3Address:
    return replace(
        S3Address(
            endpoint=fake.url, access_key="key", secret_key=SecretStr("secret"), bucket="things"
        ),
        **said,
    )


async def attempt(address: S3Address, data: bytes = b"data") -> bytes:
    s3 = S3(address)
    try:
        objects = S3Objects(s3, prefix="p")
        await objects.put("name", data)
        return await objects.get("name")
    finally:
        await s3.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"garbage\r\n\r\n",
        bad("500 Internal Server Error"),
        bad("500 Internal Server Error", "InternalError"),
        bad("503 Service Unavailable", "SlowDown"),
        bad("429 Too Many Requests"),
        bad("400 Bad Request", "RequestTimeout"),
    ],
)
async def test_what_may_pass_is_asked_again(answer: bytes) -> None:
    with fake_s3(answers=[answer, answer]) as fake:
        assert await attempt(at(fake)) == b"data"
        assert fake.asked == ["PUT /things/p/name"] * 3 + ["GET /things/p/name"]


async def test_what_does_not_pass_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_s3(answers=[bad("503 Service Unavailable")] * 20) as fake:
        with pytest.raises(StorageUnavailable, match=r"writing p/name: status 503"):
            await attempt(at(fake))
        assert len(fake.asked) == s3_module.ATTEMPTS


async def test_half_an_object_is_asked_for_again() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with fake_s3() as fake:
        s3 = S3(at(fake))
        objects = S3Objects(s3, prefix="p")
        await objects.put("name", b"data")
        fake.answers.append(half)
        assert await objects.get("name") == b"data"
        assert s3.retries == 1
        await s3.close()


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (bad("403 Forbidden", "SignatureDoesNotMatch"), StorageRefused, "the secret key is wrong"),
        (bad("403 Forbidden", "InvalidAccessKeyId"), StorageRefused, "access key is unknown"),
        (bad("403 Forbidden", "RequestTimeTooSkewed"), StorageRefused, "clock"),
        (bad("404 Not Found", "NoSuchBucket"), StorageRefused, "make it"),
        (bad("301 Moved", "PermanentRedirect"), StorageRefused, "CARILLON_S3_REGION"),
        (bad("400 Bad Request", "Strange"), StorageRefused, "status 400: Strange: no"),
        (bad("501 Not Implemented", "NotImplemented"), StorageRefused, "status 501"),
        (bad("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/"), StorageRefused, "307"),
        (bad("507 Insufficient Storage", "XMinioStorageFull"), StorageFull, "XMinioStorageFull"),
        (bad("507 Insufficient Storage"), StorageFull, "status 507"),
    ],
)
async def test_refusals_say_what_to_set_right_and_are_not_asked_again(
    answer: bytes, error: type[Exception], why: str
) -> None:
    with fake_s3(answers=[answer]) as fake:
        with pytest.raises(error, match=why) as raised:
            await attempt(at(fake, secret_key=SecretStr("kept-quiet")))
        assert "kept-quiet" not in str(raised.value)
        assert len(fake.asked) == 1


async def test_a_page_that_is_no_s3_is_told_apart() -> None:
    page = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>"
    with fake_s3(answers=[page]) as fake, pytest.raises(StorageRefused, match="text/html"):
        await attempt(at(fake))


async def test_nobody_there_is_unavailable() -> None:
    address = S3Address(
        endpoint=f"http://{LOOPBACK}:{free_port()}",
        access_key="key",
        secret_key=SecretStr("secret"),
        bucket="things",
    )
    with pytest.raises(StorageUnavailable, match="refused"):
        await attempt(address)


class Silence:
    """A server that takes connections and says what it is told to, or nothing."""

    def __init__(self, say: Callable[[socket.socket], None] = lambda _: None) -> None:
        self._socket = socket.create_server((LOOPBACK, 0))
        self._say = say
        self.held: list[socket.socket] = []
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            self.held.append(taken)
            threading.Thread(target=self._say, args=(taken,), daemon=True).start()

    def close(self) -> None:
        # A thread that waits for the next connection is woken by its end, not by a close alone.
        self._socket.shutdown(socket.SHUT_RDWR)
        for each in (self._socket, *self.held):
            each.close()


async def test_a_server_that_says_nothing_is_left_in_time() -> None:
    silence = Silence()
    address = S3Address(
        endpoint=silence.url,
        access_key="key",
        secret_key=SecretStr("secret"),
        bucket="things",
        threads=2,
        timeout_s=0.3,
    )
    s3 = S3(address)
    objects = S3Objects(s3, prefix="p")
    asked = [objects.put(f"name-{number}", b"data") for number in range(20)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(each, StorageUnavailable) for each in results)
    # Those for whom there was no thread never reached it.
    assert len(silence.held) <= 8
    assert s3.waiting == 0
    assert s3.failures == 20
    await s3.close()
    silence.close()


@pytest.mark.parametrize("drop", [b"x", b"x" * 1_000])
async def test_a_server_that_drips_is_left_in_time(drop: bytes) -> None:
    ended = threading.Event()

    def drip(taken: socket.socket) -> None:
        try:
            taken.recv(65_536)
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not ended.wait(0.02):
                taken.sendall(drop)
        except OSError:
            pass

    silence = Silence(drip)
    address = S3Address(
        endpoint=silence.url,
        access_key="key",
        secret_key=SecretStr("secret"),
        bucket="things",
        timeout_s=0.3,
    )
    s3 = S3(address)
    with pytest.raises(StorageUnavailable):
        await S3Objects(s3, prefix="p").get("name")
    ended.set()
    await s3.close()
    silence.close()


async def test_too_many_that_wait_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "MAX_WAITING", 3)
    gate = threading.Event()
    with fake_s3() as fake:
        s3 = S3(at(fake, threads=1))
        asked = [asyncio.ensure_future(s3.ask(lambda _: gate.wait(10), about="x")) for _ in "123"]
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable, match="3 requests wait"):
            await s3.ask(lambda _: None, about="one more")
        gate.set()
        assert await asyncio.gather(*asked) == [True] * 3
        await s3.close()


async def test_the_event_loops_own_threads_are_left_alone() -> None:
    names: set[str] = set()
    with fake_s3() as fake:
        s3 = S3(at(fake, threads=2))
        for _ in range(5):
            await s3.ask(lambda _: names.add(threading.current_thread().name), about="x")
        await s3.close()
    assert names
    assert all(name.startswith("s3") for name in names)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"endpoint": "s3.example"}, "endpoint: must be like"),
        ({"endpoint": "ftp://s3.example"}, "endpoint: must be like"),
        ({"endpoint": "http://"}, "endpoint: must be like"),
        ({"endpoint": "http://key:secret@s3.example"}, "endpoint: must be like"),
        ({"endpoint": "http://s3.example:port"}, "endpoint: "),
        ({"endpoint": "http://s3.example/bucket"}, "endpoint: nothing may follow the port"),
        ({"access_key": ""}, "access_key, secret_key"),
        ({"secret_key": SecretStr("")}, "access_key, secret_key"),
        ({"bucket": "No_Bucket"}, "bucket: 'No_Bucket'"),
        ({"bucket": "a..b"}, "bucket: "),
        ({"threads": 0}, "threads: 0"),
        ({"threads": 1_000}, "threads: 1000"),
        ({"retention_days": 0}, "retention_days: 0"),
        ({"timeout_s": 0.0}, "timeout_s: 0"),
    ],
)
def test_an_address_that_means_nothing_is_refused(said: dict[str, Any], why: str) -> None:
    told: dict[str, Any] = {
        "endpoint": "https://s3.example",
        "access_key": "key",
        "secret_key": SecretStr("secret"),
        "bucket": "recordings",
    }
    S3Address(**told)
    with pytest.raises(BadS3Address, match=why) as raised:
        S3Address(**{**told, **said})
    assert "secret@" not in str(raised.value)


def test_an_address_does_not_show_its_secret() -> None:
    address = S3Address("https://s3.example", "key", SecretStr("kept-quiet"), "recordings")
    assert "kept-quiet" not in repr(address)


async def test_wrong_keys_are_told(minio_server: MinioServer) -> None:
    address = await fresh_bucket(minio_server)
    for said, why in (
        ({"secret_key": SecretStr("wrong")}, "CARILLON_S3_SECRET_KEY"),
        ({"access_key": "nobody"}, "CARILLON_S3_ACCESS_KEY"),
    ):
        s3 = S3(replace(address, **said))
        with pytest.raises(BucketUnusable, match=why):
            await check_bucket(s3)
        await s3.close()


async def test_how_storage_fares_is_shown(minio_server: MinioServer, tmp_path: Path) -> None:
    address = await fresh_bucket(minio_server)
    blobs = S3Blobs(address)
    made = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "run")
    running = Running([], replace(made, blobs=blobs))
    await running.start()
    await blobs.put(b"data")  # it is looked for, then put
    unknown = S3Blobs(replace(address, access_key="nobody"))
    with pytest.raises(StorageRefused):
        await unknown.put(b"data")
    shown = {
        (sample.name, sample.labels.get("code", "")): sample.value
        for family in running.metrics.registry.collect()
        for sample in family.samples
        if family.name.startswith("carillon_storage")
    }
    assert shown["carillon_storage_seconds_count", ""] == 2
    assert shown["carillon_storage_waiting", ""] == 0
    assert shown["carillon_storage_failures_total", "storage-refused"] == 0
    failures = {(each.labels, each.value) for each in unknown.readings()}
    assert ((("code", "storage-refused"),), 1) in failures
    await running.stop()
    await blobs.close()
    await unknown.close()


async def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    async with running_minio() as server:
        address = await fresh_bucket(server, timeout_s=1.0)
        s3 = S3(address)
        objects = S3Objects(s3, prefix="p")
        await objects.put("before", b"kept")
        await server.kill()
        with pytest.raises(StorageUnavailable):
            await objects.put("meanwhile", b"lost")
        await server.start()
        assert await objects.get("before") == b"kept"
        with pytest.raises(NoSuchObject):
            await objects.get("meanwhile")
        await objects.put("after", b"kept")
        await s3.close()


@pytest.fixture
def server_files(tmp_path: Path) -> ServerFiles:
    made = certify(tmp_path / "tls", host="tests", names=[LOOPBACK])
    return ServerFiles(made.certificate, made.key, made.authority)


async def test_a_certificate_is_checked(server_files: ServerFiles, tmp_path: Path) -> None:
    async with running_minio(files=server_files) as server:
        address = await fresh_bucket(server, worm=True)
        assert address.endpoint.startswith("https://")
        s3 = S3(address)
        await check_bucket(s3)
        # With TLS the body is told by its MD5: parts, too.
        await S3Objects(s3, prefix="p", worm=True).put("large", bytes(6 << 20))
        await s3.close()
        another = certify(tmp_path / "other", host="stranger", names=[LOOPBACK])
        for stranger in (None, another.authority):
            with pytest.raises(StorageRefused, match="certificate is not vouched for"):
                await attempt(replace(address, ca_file=stranger))
        wrong_host = address.endpoint.replace(LOOPBACK, "localhost")
        with pytest.raises(StorageRefused, match="certificate is not vouched for"):
            await attempt(replace(address, endpoint=wrong_host))


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_told(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "ca.crt").write_text(text)
    address = S3Address(
        "https://s3.example",
        "key",
        SecretStr("secret"),
        "recordings",
        ca_file=tmp_path / "ca.crt",
    )
    with pytest.raises(BadS3Address, match=r"CARILLON_S3_CA: .*ca\.crt cannot be used"):
        S3(address)


async def test_a_bucket_may_be_part_of_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def here(host: str, *rest: Any, **more: Any) -> Any:
        return resolve(LOOPBACK if host.endswith("s3.test") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    async with running_minio(domain="s3.test") as server:
        endpoint = server.url.replace(LOOPBACK, "s3.test")
        address = address_of(server, endpoint=endpoint, path_style=False)
        s3 = S3(address)
        await make_bucket(s3)
        await check_bucket(s3)
        await s3.close()
        assert await attempt(address) == b"data"
        # The same objects by the other way.
        s3 = S3(replace(address, path_style=True))
        assert await S3Objects(s3, prefix="p").get("name") == b"data"
        await s3.close()
