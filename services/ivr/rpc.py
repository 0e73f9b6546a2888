"""ivr's gRPC face."""

from __future__ import annotations

from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.rpc import Face
from services.ivr.destinations import Destinations
from services.ivr.flows import Flows
from services.ivr.rpc_calls import CallCalls
from services.ivr.rpc_flows import FlowCalls
from services.ivr.rpc_simulation import SimulationCalls
from services.ivr.session import Parts, Session
from services.ivr.store import FlowStore
from services.ivr.tenants import Tenants


class Ivr(CallCalls, FlowCalls, SimulationCalls, ivr_pb2_grpc.IvrServicer):
    """The servicer of carillon.ivr.v1.Ivr."""

    def __init__(
        self,
        *,
        store: FlowStore,
        flows: Flows,
        destinations: Destinations,
        tenants: Tenants,
        parts: Parts,
    ) -> None:
        self._store = store
        self._tenants = tenants
        self._flows = flows
        self._destinations = destinations
        self._parts = parts
        self._sessions: set[Session] = set()
        self._untold: set[Session] = set()
        self._leaving = False

    @property
    def sessions(self) -> int:
        """Calls whose flow is interpreted here now."""
        return len(self._sessions)


def face(servicer: Ivr) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: ivr_pb2_grpc.add_IvrServicer_to_server(servicer, server),
        name=ivr_pb2.DESCRIPTOR.services_by_name["Ivr"].full_name,
    )
