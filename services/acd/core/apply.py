"""Events into rows: the one place where state changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from services.acd import model
from services.acd.core import apply_agents, apply_clock, apply_contacts, apply_reservations
from services.acd.core.state import State
from services.acd.model import Event

APPLIES: Final[Mapping[type, Callable[[State, Any], None]]] = MappingProxyType(
    {
        model.TenantDefaultsSet: apply_agents.tenant_defaults_set,
        model.QueuePut: apply_agents.queue_put,
        model.QueueRemoved: apply_agents.queue_removed,
        model.EmergencySet: apply_agents.emergency_set,
        model.AgentPut: apply_agents.agent_put,
        model.AgentRemoved: apply_agents.agent_removed,
        model.PresenceChanged: apply_agents.presence_changed,
        model.PresencePended: apply_agents.presence_pended,
        model.LinkChanged: apply_agents.link_changed,
        model.AgentLegStarted: apply_agents.agent_leg_started,
        model.AgentLegEnded: apply_agents.agent_leg_ended,
        model.AgentRested: apply_agents.agent_rested,
        model.AgentStateChanged: apply_agents.agent_state_changed,
        model.ContactEnqueued: apply_contacts.contact_enqueued,
        model.StepEntered: apply_contacts.step_entered,
        model.EntryDetached: apply_contacts.entry_detached,
        model.EntryAttached: apply_contacts.entry_attached,
        model.PriorityChanged: apply_contacts.priority_changed,
        model.WaitAnnounced: apply_contacts.wait_announced,
        model.ExclusionEnded: apply_contacts.exclusion_ended,
        model.ContactExited: apply_contacts.contact_exited,
        model.ContactReserved: apply_reservations.contact_reserved,
        model.RingConfirmed: apply_reservations.ring_confirmed,
        model.ReservationAccepted: apply_reservations.reservation_accepted,
        model.ContactAnswered: apply_reservations.contact_answered,
        model.ReservationEnded: apply_reservations.reservation_ended,
        model.HoldChanged: apply_reservations.hold_changed,
        model.ContactCompleted: apply_reservations.contact_completed,
        model.WrapUpCodeSet: apply_reservations.wrap_up_code_set,
        model.WrapUpExtended: apply_reservations.wrap_up_extended,
        model.WrapUpEnded: apply_reservations.wrap_up_ended,
        model.ClockStopped: apply_clock.clock_stopped,
    }
)
"""Every event, once; a test proves it total."""


def apply_event(state: State, event: Event) -> None:
    """Takes an event into the state."""
    APPLIES[type(event)](state, event)
    state.seq += 1
