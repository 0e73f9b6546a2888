"""acd's gRPC face."""

from __future__ import annotations

from typing import cast

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from services.acd.forwarding import Collector, Forwarding
from services.acd.rpc_agents import AgentCalls
from services.acd.rpc_contacts import ContactCalls
from services.acd.rpc_staff import StaffCalls
from services.acd.rpc_waiting import WaitingCalls
from services.acd.shards import Shards
from services.chassis.codec import Codec
from services.chassis.rpc import Face


class Acd(ContactCalls, WaitingCalls, AgentCalls, StaffCalls, acd_pb2_grpc.AcdServicer):
    """The servicer of carillon.acd.v1.Acd."""

    def __init__(self, *, shards: Shards, codec: Codec) -> None:
        self._shards = shards
        self._codec = codec


def face(*, shards: Shards, codec: Codec, forwarding: Forwarding) -> Face:
    """The face as a server takes it."""
    servicer = Acd(shards=shards, codec=codec)

    def register(server: aio.Server) -> None:
        collector = cast("aio.Server", Collector(server, forwarding))
        acd_pb2_grpc.add_AcdServicer_to_server(servicer, collector)

    return Face(
        register=register,
        name=acd_pb2.DESCRIPTOR.services_by_name["Acd"].full_name,
    )
