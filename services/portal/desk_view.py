"""What an agent's desk shows, put together from what several services know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protos.acd.v1 import state_pb2
from protos.crm.v1 import crm_pb2
from protos.portal.v1 import desk_pb2
from services.portal.desk_customers import unknown
from services.portal.desk_gateways import Audio


def desk_view(
    *,
    agent: state_pb2.AgentView,
    queue_names: Mapping[str, str],
    cards: Mapping[str, crm_pb2.CustomerCard],
    audios: Mapping[str, Audio],
    dispositions: Mapping[str, Sequence[str]],
    number: int,
) -> desk_pb2.DeskView:
    """The desk; cards are by contact, audio by reservation, dispositions by queue.

    What is not known yet shows as such.
    """
    view = desk_pb2.DeskView(agent=agent, number=number)
    for row in agent.work:
        audio = audios.get(row.reservation_id, Audio())
        view.work.add(
            reservation=row,
            queue_name=queue_names.get(row.queue_id, row.queue_id),
            card=cards.get(row.contact_id) or unknown(row.contact),
            held=audio.held or row.work == "holding",
            muted=audio.muted,
            recording=audio.recording,
            connected=audio.connected,
            dispositions=dispositions.get(row.queue_id, ()),
        )
    return view
