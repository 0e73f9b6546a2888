"""What of Carillon can be reached from outside, and how: read from the protos' own options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from protos.acd.v1 import acd_pb2
from protos.analytics.v1 import analytics_pb2
from protos.common.v1 import access_pb2
from protos.crm.v1 import crm_pb2
from protos.gateway.v1 import gateway_pb2
from protos.ivr.v1 import ivr_pb2, library_pb2
from protos.portal.v1 import desk_pb2, portal_pb2
from protos.recording.v1 import recording_pb2
from services.portal.core.permission import Rule

FILES: tuple[tuple[str, FileDescriptor], ...] = (
    ("portal", portal_pb2.DESCRIPTOR),
    ("portal", desk_pb2.DESCRIPTOR),
    ("acd", acd_pb2.DESCRIPTOR),
    ("ivr", ivr_pb2.DESCRIPTOR),
    ("ivr", library_pb2.DESCRIPTOR),
    ("gateway", gateway_pb2.DESCRIPTOR),
    ("recording", recording_pb2.DESCRIPTOR),
    ("crm", crm_pb2.DESCRIPTOR),
    ("analytics", analytics_pb2.DESCRIPTOR),
)
"""Which service listens for the RPCs of which file, in the order in which people read them."""

VERBS = ("get", "put", "post", "delete", "patch")
_FIELD_IN_PATH = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to reach an RPC over HTTP."""

    verb: str
    """GET, PUT, POST, DELETE or PATCH."""
    template: str
    """For example `/v1/queues/{queue.queue_id}`."""
    body: str = ""
    """The field that the body is; `*`: the whole request; empty: there is no body."""

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The fields that the path names, for example `queue.queue_id`."""
        return tuple(_FIELD_IN_PATH.findall(self.template))


@dataclass(frozen=True, slots=True)
class Exposed:
    """One RPC that may be called from outside."""

    target: str
    """The service that answers, as `dial` knows it."""
    method: MethodDescriptor
    """What the proto says of it."""
    request: type[Message]
    """The class of its request."""
    response: type[Message]
    """The class of its answers."""
    rule: Rule
    """Who may call it."""
    bindings: tuple[Binding, ...]
    """How it is reached over HTTP; empty: only by gRPC."""
    word: str = ""
    """What the audit trail calls it; empty: its full name."""

    @property
    def path(self) -> str:
        """Its name on the wire of gRPC: `/carillon.acd.v1.Acd/PutQueue`."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def action(self) -> str:
        """Its name on the audit trail: `carillon.acd.v1.Acd/PutQueue`, or a word."""
        return self.word or self.path[1:]

    @property
    def streams(self) -> bool:
        """True: any number of answers."""
        return bool(self.method.server_streaming)

    @property
    def changes(self) -> bool:
        """True: it is not reached by GET and does more than read.

        So it is audited and may bear an Idempotency-Key.
        """
        return not self.rule.reads and any(binding.verb != "GET" for binding in self.bindings)

    @property
    def is_audited(self) -> bool:
        """True: a success is written to the audit trail, too."""
        return self.changes or self.rule.audited


class Registry:
    """Every RPC that has the access option, by its gRPC path; others do not exist outside."""

    def __init__(self, files: Iterable[tuple[str, FileDescriptor]] = FILES) -> None:
        self._by_path = {each.path: each for each in _exposed(files)}

    def __iter__(self) -> Iterator[Exposed]:
        return iter(self._by_path.values())

    def find(self, path: str) -> Exposed | None:
        """The RPC with this gRPC path; None: it is not for outside."""
        return self._by_path.get(path)


def _exposed(files: Iterable[tuple[str, FileDescriptor]]) -> Iterator[Exposed]:
    for target, file in files:
        for service in file.services_by_name.values():
            for method in service.methods:
                options: Any = method.GetOptions()
                if options.HasExtension(access_pb2.access):
                    yield _one(target, method, options)


def _one(target: str, method: MethodDescriptor, options: Any) -> Exposed:
    # Requests come whole; only answers may stream.
    assert not method.client_streaming, method.full_name
    access = options.Extensions[access_pb2.access]
    http = options.Extensions[annotations_pb2.http]
    bindings = [_binding(rule) for rule in (http, *http.additional_bindings) if _has_path(rule)]
    return Exposed(
        target=target,
        method=method,
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        rule=Rule(
            roles=frozenset(access.roles),
            anonymous=access.anonymous,
            own_agent_field=access.own_agent_field,
            audited=access.audited,
            never_replayed=access.never_replayed,
            reads=access.reads,
        ),
        bindings=tuple(bindings),
    )


def _has_path(rule: http_pb2.HttpRule) -> bool:
    return rule.WhichOneof("pattern") is not None


def _binding(rule: http_pb2.HttpRule) -> Binding:
    verb = rule.WhichOneof("pattern")
    assert verb in VERBS, verb
    return Binding(verb=verb.upper(), template=getattr(rule, verb), body=rule.body)
