"""MinIO, an S3 server, as a child process.

Its last release is of February 2026; its licence is the AGPL. It is a server beside Carillon, for
tests and for a cluster on one machine: nothing of it is imported, and any S3 with object lock does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from services.launcher.parts import golang
from services.launcher.parts.daemon import Daemon, PartMissing
from services.launcher.ports import LOOPBACK, free_port
from services.launcher.process import Child

NAME = "minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
"""The last that its source has; its tags are of no form that Go takes for a version."""
MODULE = "github.com/minio/minio"
OLDEST_GO = (1, 24)
LOOK_TIMEOUT_S = 2.0
PROGRAM_VARIABLE = "CARILLON_MINIO"


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What a server proves itself with, as files of PEM."""

    certificate: Path
    """Its certificate, with those that vouch for it after it."""
    key: Path
    """Its private key."""
    authority: Path
    """Whom its clients trust."""


def found() -> Path | None:
    """The program that is there: what CARILLON_MINIO names, or one on PATH; PartMissing."""
    named = os.environ.get(PROGRAM_VARIABLE)
    if named and not os.access(named, os.X_OK):
        raise PartMissing(f"{PROGRAM_VARIABLE} names {named}, which is no program")
    on_path = named or shutil.which(NAME)
    return Path(on_path) if on_path else None


def ready() -> Path:
    """The program, built by Go where there is none: some minutes, once; PartMissing, PartFailed."""
    return found() or golang.built(
        NAME,
        MODULE,
        VERSION,
        oldest_go=OLDEST_GO,
        wants=(
            "MinIO is the S3 server of the tests, and of a cluster on one machine. Name a minio "
            f"program where there is one: {PROGRAM_VARIABLE}=/path/to/minio."
        ),
    )


class MinioServer(Daemon):
    """One server with one folder of data, on loopback."""

    ready_within_s: ClassVar[float] = 60.0

    def __init__(
        self,
        folder: Path,
        *,
        program: Path,
        user: str = "carillon",
        password: str = "",
        port: int = 0,
        files: ServerFiles | None = None,
        domain: str = "",
    ) -> None:
        """`password` empty: one is made. `port`: 0 is any that is free. `files`: it speaks TLS.

        `domain`: buckets are hosts of it. `program` is what `ready` gave.
        """
        self.user = user
        """The access key."""
        self.password = password or secrets.token_urlsafe(24)
        """The secret key."""
        self.port = port or free_port()
        """Of S3."""
        self.files = files
        """What it proves itself with; None: it speaks plain HTTP."""
        self.folder = folder
        """Where all that is its own lies."""
        console = free_port()
        self._child = Child(
            name=NAME,
            command=(
                str(program),
                "server",
                "--quiet",
                "--certs-dir",
                str(folder / "certs"),
                "--address",
                f"{LOOPBACK}:{self.port}",
                "--console-address",
                f"{LOOPBACK}:{console}",
                str(folder / "data"),
            ),
            env={
                "HOME": str(folder),
                "PATH": os.environ.get("PATH", ""),
                "MINIO_ROOT_USER": self.user,
                "MINIO_ROOT_PASSWORD": self.password,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
                **({"MINIO_DOMAIN": domain} if domain else {}),
            },
            log=folder / "minio.log",
            cwd=folder,
        )

    @property
    def child(self) -> Child:
        """Its process."""
        return self._child

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http{'s' if self.files else ''}://{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Makes its folders, and puts its certificate where it looks for it."""
        (self.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        certificates = self.folder / "certs"
        certificates.mkdir(mode=0o700, exist_ok=True)
        if self.files:
            shutil.copyfile(self.files.certificate, certificates / "public.crt")
            key = certificates / "private.key"
            key.touch(mode=0o600)
            shutil.copyfile(self.files.key, key)

    async def answers(self) -> bool:
        """Whether it can read and write."""
        trusted = ssl.create_default_context(cafile=self.files.authority) if self.files else True
        try:
            async with httpx.AsyncClient(
                verify=trusted, timeout=LOOK_TIMEOUT_S, trust_env=False
            ) as client:
                answer = await client.get(f"{self.url}/minio/health/ready")
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
