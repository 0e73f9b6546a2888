"""Portal's gRPC faces, as its own socket offers them: people, and the agent's desk."""

from __future__ import annotations

from services.chassis.rpc import Face
from services.portal import rpc_desk
from services.portal.people import People


def faces(*, people: People, desk: rpc_desk.Desk) -> list[Face]:
    """Both of them."""
    return [*people.faces(), rpc_desk.face(desk)]
