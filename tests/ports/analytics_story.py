"""Steps of stories, as stores are given them."""

from __future__ import annotations

from services.analytics.model.story import LadderStep, Step
from services.analytics.model.words import Source


def a_step(number: int, contact_id: str = "c1", **more: object) -> Step:
    kept: dict[str, object] = {
        "contact_id": contact_id,
        "event_id": f"{contact_id}.{number}",
        "seq": number,
        "at_ms": 1_000 + number,
        "kind": "said",
        "source": Source.GATEWAY,
        "values": {"leg": "l", "é": '"quoted"'},
    }
    return Step(**(kept | more))  # type: ignore[arg-type]  # any field


SIP = LadderStep(7, "l", sent=True, peer="192.0.2.1:5060", line="200 OK", cseq="1 BYE", times=3)
