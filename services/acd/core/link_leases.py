"""Links that hold only while somebody keeps saying so."""

from __future__ import annotations

from collections.abc import Iterable

from services.acd.model import AgentId


class LinkLeases:
    """When each leased link runs out.

    What is said again changes nothing that lasts, so it is kept here and not in the shard's state;
    a new owner gives every link a whole period.
    """

    def __init__(self) -> None:
        self._leases: dict[AgentId, tuple[int, int]] = {}

    def said(self, agent_id: AgentId, valid_ms: int, now_ms: int) -> None:
        """An agent's link was measured; 0: it holds until it changes."""
        if valid_ms:
            self._leases[agent_id] = (now_ms + valid_ms, valid_ms)
        else:
            self._leases.pop(agent_id, None)

    def heard(self, agent_id: AgentId, now_ms: int) -> None:
        """An agent's link was measured, and what follows is still to be decided."""
        if agent_id in self._leases:
            _, valid_ms = self._leases[agent_id]
            self._leases[agent_id] = (now_ms + valid_ms, valid_ms)

    def fresh(self, leased: Iterable[tuple[AgentId, int]], now_ms: int) -> None:
        """Nobody could say anything for a while: every leased link has a whole period again."""
        self._leases = {agent_id: (now_ms + valid_ms, valid_ms) for agent_id, valid_ms in leased}

    def is_over(self, agent_id: AgentId, now_ms: int) -> bool:
        """Whether an agent's link ran out."""
        until_ms, _ = self._leases.get(agent_id, (now_ms + 1, 0))
        return until_ms <= now_ms

    def over(self, now_ms: int) -> list[AgentId]:
        """Agents whose link ran out."""
        return [agent_id for agent_id in sorted(self._leases) if self.is_over(agent_id, now_ms)]

    def forget(self, agent_id: AgentId) -> None:
        """What ran out has had its effect."""
        self._leases.pop(agent_id, None)

    def next_ms(self) -> int | None:
        """When the next one runs out."""
        return min((until_ms for until_ms, _ in self._leases.values()), default=None)
