"""Portal's gRPC face towards people: who they are, what they may do, and what they did.

Portal's edge has authenticated whoever asks and checked their role before a request comes here.
"""

from __future__ import annotations

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.rpc import Face
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_dispositions import DispositionCalls
from services.portal.rpc_people_health import HealthCalls
from services.portal.rpc_people_import import ImportCalls
from services.portal.rpc_people_keys import KeyCalls
from services.portal.rpc_people_sessions import SessionCalls
from services.portal.rpc_people_tenants import TenantCalls
from services.portal.rpc_people_users import UserCalls


class Portal(
    SessionCalls,
    TenantCalls,
    HealthCalls,
    UserCalls,
    ImportCalls,
    DispositionCalls,
    KeyCalls,
    portal_pb2_grpc.PortalServicer,
):
    """The servicer of carillon.portal.v1.Portal."""

    def __init__(self, parts: PeopleParts) -> None:
        self._parts = parts


def face(servicer: Portal) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: portal_pb2_grpc.add_PortalServicer_to_server(servicer, server),
        name=portal_pb2.DESCRIPTOR.services_by_name["Portal"].full_name,
    )
