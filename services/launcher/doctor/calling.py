"""Whether SIP is answered, and audio goes both ways."""

from __future__ import annotations

from services.launcher.doctor.model import Finding, Place
from services.launcher.doctor.phone import CallRefused, NoAnswer, call, ping

FEW_PACKETS = 10
"""A fifth of a second: a prompt that plays sends fifty a second."""


async def sip(place: Place) -> list[Finding] | None:
    """An OPTIONS is answered."""
    if not place.sip:
        return None
    try:
        status = await ping(place.sip)
    except NoAnswer as error:
        return [
            Finding(
                f"SIP is not answered: {error}.",
                "Look whether a gateway (or the edge) runs and listens there by UDP, and whether a"
                " firewall is between.",
            )
        ]
    if status == 503:
        return [
            Finding(
                f"{place.sip} answers, and takes no calls (503).",
                "It drains or is full: start another gateway, or look at carillon_gateway_calls.",
            )
        ]
    return []


async def audio(place: Place) -> list[Finding] | None:
    """A call to the test number hears something, and is heard."""
    if not place.sip or not place.number:
        return None
    try:
        heard = await call(place.sip, place.number)
    except NoAnswer as error:
        return [Finding(f"The probe call was not answered: {error}.", "See the finding on SIP.")]
    except CallRefused as error:
        return [
            Finding(
                f"The probe call to {place.number} was refused: {error}.",
                "Name a number whose flow answers at once and plays something (--number).",
            )
        ]
    found = []
    if heard.packets < FEW_PACKETS:
        found.append(
            Finding(
                f"Audio goes one way only: the probe call heard {heard.packets} packets in two"
                " seconds.",
                "RTP from the gateways does not come out: look at the firewall for their port"
                " range, and whether they know their way to phones.",
            )
        )
    if not heard.was_heard and heard.reports:
        found.append(
            Finding(
                "Audio goes one way only: the gateway hears nothing of what the probe call says.",
                "RTP does not reach the address that the gateway names: set"
                " CARILLON_GATEWAY_MEDIA_ADVERTISED to what phones can reach, and open its port"
                " range.",
            )
        )
    if not heard.reports:
        found.append(
            Finding(
                "The gateway's reports (RTCP) do not come: whether it hears is not known.",
                "Open the odd ports of its range, too.",
            )
        )
    return found
