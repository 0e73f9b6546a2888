"""Kafka 4.3 in KRaft mode, by Maven's jars: one broker that is its own controller, or a quorum.

For one machine and for tests. Brokers of an installation that matters are somebody's who knows
Kafka; what Carillon asks of them is in docs/operations.md.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import os
import shutil
import struct
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from services.launcher.parts import cache
from services.launcher.parts.daemon import Daemon, PartFailed, PartMissing
from services.launcher.ports import LOOPBACK, free_port
from services.launcher.process import Child

VERSION = "4.3.1"
POM = Path(__file__).with_name("kafka.pom.xml")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
JAVA_AT_LEAST = 17
MAKE_LIMIT_S = 600.0
FORMAT_LIMIT_S = 120.0
ANSWER_LIMIT_S = 1.0
PACKAGES = ("openjdk-17-jre-headless", "maven")
"""Debian's, for whoever has no Java or Maven."""
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""The request that any client begins with: ApiVersions, version 0, from nobody in particular."""
_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


def libraries() -> Path:
    """The folder with Kafka's jars, fetched by Maven when they are not there yet; PartMissing."""
    java()
    return cache.kept("kafka", VERSION, _fetch, how_long="10 s and 44 MB by Maven") / "libs"


@functools.cache
def java() -> str:
    """The path of a Java that is new enough; PartMissing."""
    found = shutil.which("java")
    if found is None:
        raise PartMissing(_missing("java"))
    said = subprocess.run(  # noqa: S603 (a program of this machine, with fixed arguments)
        (found, "-XshowSettings:properties", "-version"),
        capture_output=True,
        text=True,
        check=False,
        timeout=FORMAT_LIMIT_S,
    ).stderr
    line = next((x for x in said.splitlines() if "java.specification.version =" in x), "= 0")
    version = line.rpartition("=")[2].strip()
    if float(version) < JAVA_AT_LEAST:
        raise PartMissing(f"{found} is Java {version}: {_missing('a newer one')}")
    return found


def _missing(what: str) -> str:
    packages = " ".join(PACKAGES)
    return (
        f"Kafka needs Java {JAVA_AT_LEAST} or newer, and Maven to be fetched by; {what} is"
        f" missing. On Debian: apt-get install --no-install-recommends {packages}"
    )


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise PartMissing(_missing("mvn"))
    done = subprocess.run(  # noqa: S603 (a program of this machine, with arguments of ours)
        (
            *(maven, "-q", "-B", "--strict-checksums", "-f", str(POM), COPY),
            *("-DincludeScope=runtime", f"-DoutputDirectory={folder / 'libs'}"),
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=MAKE_LIMIT_S,
    )
    if done.returncode != 0:
        raise PartMissing(f"Maven could not fetch Kafka {VERSION}:\n{done.stdout[-2_000:]}")


@dataclass(frozen=True, slots=True)
class Listener:
    """A further way into a broker, beside the plain one on loopback."""

    name: str
    """In capitals, for example `OUTSIDE`."""
    protocol: str
    """`SSL` or `SASL_SSL`."""
    port: int
    """On loopback."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of this listener, without the prefix `listener.name.<name>.`."""


@dataclass(frozen=True, slots=True)
class Node:
    """One of the brokers that elect each other's controller."""

    number: int
    """From 1."""
    port: int
    """For clients and the other brokers."""
    controller_port: int
    """For the quorum."""


def nodes(count: int) -> tuple[Node, ...]:
    """So many brokers, on free ports."""
    return tuple(Node(n, free_port(), free_port()) for n in range(1, count + 1))


class KafkaServer(Daemon):
    """A broker with its data in a folder, on loopback."""

    ready_within_s: ClassVar[float] = 90.0

    def __init__(
        self,
        folder: Path,
        *,
        quorum: Sequence[Node] = (),
        number: int = 1,
        listeners: Sequence[Listener] = (),
        users: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`quorum` are all brokers, this one has `number`; none are given: it is alone.

        `users` may log in at SASL listeners by SCRAM-SHA-512, with their passwords; they are made
        when the folder is. `settings` are further lines of `server.properties`.
        """
        self._folder = folder.absolute()
        self._quorum = tuple(quorum) or nodes(1)
        self._node = next(each for each in self._quorum if each.number == number)
        self._listeners = tuple(listeners)
        self._users = dict(users or {})
        self._settings = dict(settings or {})
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """`host:port` for clients without TLS."""
        return f"{LOOPBACK}:{self._node.port}"

    @property
    def child(self) -> Child:
        """Its process; there is none before the first start."""
        assert self._child is not None, "start it first"
        return self._child

    async def answers(self) -> bool:
        """Whether it takes requests: its port is open some time before."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reader, writer = await asyncio.open_connection(LOOPBACK, self._node.port)
                try:
                    writer.write(_API_VERSIONS)
                    await reader.readexactly(4)
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
        return True

    def prepare(self) -> None:
        """Writes its settings, and makes its folder at the first start; PartMissing, PartFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = (java(), "-cp", f"{libraries()}/*")
        properties = self._folder / "server.properties"
        properties.write_text("".join(f"{k}={v}\n" for k, v in self._properties().items()))
        # Passwords may be among them.
        properties.chmod(0o600)
        logging = self._folder / "log4j2.properties"
        logging.write_text(_LOGGING)
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(command, properties)
        self._child = Child(
            name=f"Kafka broker {self._node.number}",
            command=(
                *(command[0], "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC"),
                # A broker for one machine is started far more often than it is busy.
                *("-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={logging}"),
                *(*command[1:], "kafka.Kafka", str(properties)),
            ),
            env=_environment(),
            log=self._folder / "kafka.log",
            cwd=self._folder,
        )

    def _format(self, command: Sequence[str], properties: Path) -> None:
        users = [
            f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]"
            for name, password in self._users.items()
        ]
        done = subprocess.run(  # noqa: S603 (a program of this machine, with arguments of ours)
            (
                *(*command, "kafka.tools.StorageTool", "format", "-c", str(properties)),
                *("-t", _cluster_id(self._quorum), *users),
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_LIMIT_S,
            env=_environment(),
            cwd=self._folder,
        )
        if done.returncode != 0:
            raise PartFailed(f"Kafka's folder could not be made:\n{done.stderr[-2_000:]}")

    def _properties(self) -> dict[str, str]:
        node, alone = self._node, len(self._quorum) == 1
        copies = str(min(3, len(self._quorum)))
        inside = {"PLAINTEXT": ("PLAINTEXT", node.port)}
        ways = {**inside, **{x.name: (x.protocol, x.port) for x in self._listeners}}
        at = {name: f"{name}://{LOOPBACK}:{port}" for name, (_, port) in ways.items()}
        controller = f"CONTROLLER://{LOOPBACK}:{node.controller_port}"
        kinds = {"CONTROLLER": "PLAINTEXT", **{name: kind for name, (kind, _) in ways.items()}}
        return {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "listeners": ",".join((*at.values(), controller)),
            "advertised.listeners": ",".join(at.values()),
            "listener.security.protocol.map": ",".join(f"{k}:{v}" for k, v in kinds.items()),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.quorum.voters": ",".join(
                f"{each.number}@{LOOPBACK}:{each.controller_port}" for each in self._quorum
            ),
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": "1" if alone else "2",
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": "1" if alone else "2",
            "group.initial.rebalance.delay.ms": "0",
            # One that was killed comes back only when its old session is over.
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
            **{
                f"listener.name.{x.name.lower()}.{key}": value
                for x in self._listeners
                for key, value in x.settings.items()
            },
            **self._settings,
        }


def _cluster_id(quorum: Sequence[Node]) -> str:
    """The same for all who are to find each other: from their ports."""
    name = ",".join(f"{each.number}:{each.controller_port}" for each in quorum)
    made = uuid.uuid5(uuid.NAMESPACE_OID, name).bytes
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
