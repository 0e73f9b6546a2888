"""What is too much, too long or no SIP at all, and what cannot be configured."""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

import pytest

from services.launcher.parts.kamailio import RUN, find_kamailio, search_path
from tests.softphone import Answer, NoResponse, SoftPhone
from tests.stage.edge import edge_of

FLOOD = 20


def options(phone: SoftPhone, uri: str, *lines: str, body: str = "") -> bytes:
    """An OPTIONS with further lines."""
    host, port = phone.address
    token = secrets.token_hex(6)
    named = (
        f"OPTIONS {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token};rport",
        f"From: <sip:a@{host}:{port}>;tag={token}",
        f"To: <{uri}>",
        f"Call-ID: {token}",
        "CSeq: 1 OPTIONS",
        *lines,
        f"Content-Length: {len(body)}",
    )
    return ("\r\n".join((*named, "", "")) + body).encode()


async def test_a_flood_is_not_answered_and_others_are(tmp_path: Path) -> None:
    async with (
        edge_of(tmp_path / "e", Answer(), flood=FLOOD) as edge,
        SoftPhone(host="127.0.0.9") as flooder,
        SoftPhone() as caller,
    ):
        for _ in range(10 * FLOOD):
            flooder.send_raw(options(flooder, edge.uri), edge.address)
        with pytest.raises(NoResponse):
            await flooder.options(edge.uri)
        assert (await caller.options(edge.uri)).status == 200
        call = await caller.call(edge.uri)
        await call.answered()
        await call.hangup()
        assert "too many requests: 127.0.0.9" in edge.kamailio.child.tail()


async def test_a_trunk_may_send_as_much_as_it_likes(tmp_path: Path) -> None:
    trunks = {"127.0.0.7": "acme"}
    async with (
        edge_of(tmp_path / "e", Answer(), flood=FLOOD, trunks=trunks) as edge,
        SoftPhone(host="127.0.0.7") as trunk,
    ):
        for _ in range(10 * FLOOD):
            trunk.send_raw(options(trunk, edge.uri), edge.address)
            await asyncio.sleep(0.001)
        assert (await trunk.options(edge.uri)).status == 200


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        ((), "", 200),
        (("Max-Forwards: 0",), "", 483),
        (("Max-Forwards: 70",), "x" * 20_000, 513),
        (("Proxy-Require: sec-agree",), "", 420),
    ],
)
async def test_a_request_outside_dialogs_is_answered(
    tmp_path: Path, lines: tuple[str, ...], body: str, status: int
) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        caller.send_raw(options(caller, edge.uri, *lines, body=body), edge.address)
        assert (await caller.next_response()).status == status


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH", "NONSENSE"])
async def test_what_is_not_served_is_told_so(tmp_path: Path, method: str) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        asked = options(caller, edge.uri).replace(b"OPTIONS", method.encode())
        caller.send_raw(asked, edge.address)
        answer = await caller.next_response()
        assert answer.status == 405
        assert "INVITE" in (answer.header("Allow") or "")


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 1_400,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"INVITE sip:x@y SIP/2.0\r\nVia: nonsense\r\nFrom: x\r\nTo: y\r\nCSeq: x\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n\r\n",
        b"SIP/2.0 999999999999 \r\n\r\n",
        b"INVITE " + b"a" * 60_000,
        bytes(range(256)) * 8,
    ],
)
async def test_what_is_no_sip_harms_nobody(tmp_path: Path, junk: bytes) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        for _ in range(20):
            caller.send_raw(junk, edge.address)
        reader, writer = await asyncio.open_connection(*edge.address)
        writer.write(junk + b"\r\n\r\n")
        await writer.drain()
        assert (await caller.options(edge.uri)).status == 200
        call = await caller.call(edge.uri)
        await call.answered()
        await call.hangup()
        writer.close()
        del reader
        assert edge.kamailio.child.is_running


async def checked(folder: Path, **given: str) -> tuple[int, str]:
    """Whether the edge would start with these settings: exit status and what was said."""
    settings = {
        "CARILLON_EDGE_HOST": "127.0.0.1",
        "CARILLON_EDGE_DIR": str(folder),
        **given,
    }
    env = {"PATH": search_path(), **{key: value for key, value in settings.items() if value}}
    process = await asyncio.create_subprocess_exec(
        str(RUN), "-c", env=env, stdout=-1, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_configuration_is_what_kamailio_takes(tmp_path: Path) -> None:
    find_kamailio()
    status, said = await checked(tmp_path)
    assert status == 0, said
    assert "config file ok" in said
    assert "ERROR" not in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CARILLON_EDGE_HOST", ""),
        ("CARILLON_EDGE_HOST", 'x"y'),
        ("CARILLON_EDGE_DIR", "/nowhere/at/all"),
        ("CARILLON_EDGE_PORT", "sip"),
        ("CARILLON_EDGE_PORT", "70000"),
        ("CARILLON_EDGE_WORKERS", "0"),
        ("CARILLON_EDGE_FLOOD", "-1"),
        ("CARILLON_EDGE_MEMORY_MB", "1"),
        ("CARILLON_EDGE_ADVERTISED", "a b"),
    ],
)
async def test_a_wrong_setting_is_refused_by_its_name(tmp_path: Path, key: str, value: str) -> None:
    status, said = await checked(tmp_path, **{key: value})
    assert status != 0
    assert key in said
    assert os.linesep in said
