"""A small S3 server that can be made to break its word, and its connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

from services.launcher.ports import LOOPBACK, free_port

XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
COMPLIANCE = "COMPLIANCE"


@dataclass
class Version:
    """One version of an object."""

    data: bytes
    mode: str = ""
    until: str = ""


@dataclass
class FakeS3:
    """What it keeps, and how it breaks its word."""

    port: int
    deletes_locked: bool = False
    shortens_locks: bool = False
    weakens_locks: bool = False
    forgets_locks: bool = False
    """It takes them and tells none."""
    keeps_versions: bool = True
    has_lock: bool = True
    """Whether its bucket was made with one."""
    answers: list[bytes] = field(default_factory=list)
    """Sent instead of an answer, one for each request that comes; raw, and then it hangs up."""
    versions: dict[tuple[str, str], Version] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Methods and paths."""

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def newest(self, path: str) -> str | None:
        found = [version for name, version in self.versions if name == path]
        return found[-1] if found else None


@contextmanager
def fake_s3(**how: Any) -> Iterator[FakeS3]:
    """A server that runs inside the `with`."""
    state = FakeS3(free_port(), **how)

    class Handler(_Handler):
        s3 = state

    server = ThreadingHTTPServer((LOOPBACK, state.port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    s3: FakeS3
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.name = unquote(parts.path)
        self.query = {
            key: each[0] for key, each in parse_qs(parts.query, keep_blank_values=True).items()
        }
        self.s3.asked.append(f"{self.command} {self.name}")
        if self.s3.answers:
            self.wfile.write(self.s3.answers.pop(0))
            self.close_connection = True
            return False
        return True

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        if "retention" in self.query:
            self._relock()
            return
        version = f"v{len(self.s3.versions) + 1}"
        self.s3.versions[self.name, version] = Version(
            self.body,
            self.headers.get("x-amz-object-lock-mode", ""),
            self.headers.get("x-amz-object-lock-retain-until-date", ""),
        )
        self._answer(200, version=version)

    def do_GET(self) -> None:
        if "object-lock" in self.query:
            if self.s3.has_lock:
                self._answer(200, f"<ObjectLockConfiguration {XMLNS}/>".encode())
            else:
                self._error(404, "ObjectLockConfigurationNotFoundError")
            return
        if "versions" in self.query:
            self._answer(
                200,
                f"<ListVersionsResult {XMLNS}><IsTruncated>false</IsTruncated>"
                "</ListVersionsResult>".encode(),
            )
            return
        found = self._found()
        if found is None:
            self._error(404, "NoSuchKey")
        elif "retention" not in self.query:
            self._answer(200, found.data)
        elif self.s3.forgets_locks or not found.mode:
            self._error(404, "NoSuchObjectLockConfiguration")
        else:
            self._answer(
                200,
                f"<Retention {XMLNS}><Mode>{found.mode}</Mode>"
                f"<RetainUntilDate>{found.until}</RetainUntilDate></Retention>".encode(),
            )

    def do_DELETE(self) -> None:
        found = self._found()
        version = self.query.get("versionId")
        if found and version and found.mode and not self.s3.deletes_locked:
            self._error(403, "AccessDenied")
            return
        if found:
            del self.s3.versions[self.name, version or self.s3.newest(self.name) or ""]
        self._answer(204)

    def _relock(self) -> None:
        found = self._found()
        assert found is not None
        asked = ET.fromstring(self.body)
        mode, until = (asked.findtext(f"{{*}}{tag}", "") for tag in ("Mode", "RetainUntilDate"))
        weaker = mode != COMPLIANCE and not self.s3.weakens_locks
        shorter = _instant(until) < _instant(found.until) and not self.s3.shortens_locks
        if weaker or shorter:
            self._error(403, "AccessDenied")
            return
        found.mode, found.until = mode, until
        self._answer(200)

    def _found(self) -> Version | None:
        version = self.query.get("versionId") or self.s3.newest(self.name) or ""
        return self.s3.versions.get((self.name, version))

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def _answer(self, status: int, body: bytes = b"", *, version: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        if version and self.s3.keeps_versions:
            self.send_header("x-amz-version-id", version)
        self.end_headers()
        self.wfile.write(body)


def _instant(told: str) -> datetime:
    return datetime.fromisoformat(told) if told else datetime.max.replace(tzinfo=UTC)
