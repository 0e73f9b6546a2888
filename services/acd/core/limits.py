"""The written limits of one shard."""

from __future__ import annotations

from typing import Final

EXITS_REMEMBERED: Final = 2_000
"""Contacts that left, kept so that a repeated request gets the same reply."""
PAIR_EXCLUSIONS: Final = 16
"""Agents a contact does not come back to; beyond it the one that ends first is dropped."""
HANDLE_SAMPLE: Final = 64
"""Handle times kept for quantiles."""
STRIKES: Final = 10
"""Strikes a rule may ask for."""
GATEWAYS: Final = 1_000
"""Gateways that are listened to."""
OUTSIDE_LEGS: Final = 8
"""Legs an agent can have outside the ACD."""
LANES_PER_QUEUE: Final = 64
"""Demands indexed for a queue beyond those that somebody waits with."""

RECEIPT_LISTED: Final = 5
"""Candidates, exclusions and rivals listed in a reservation's receipt."""
RECEIPT_WALK: Final = 10
"""Qualified agents looked at to list exclusions in a reservation's receipt."""
EXPLAIN_LISTED: Final = 50
"""Candidates and exclusions listed in an explanation."""

EXPR_NODES: Final = 64
"""Nodes of a skill expression."""
EXPR_DEPTH: Final = 8
"""Levels of a skill expression."""
PLAN_STEPS: Final = 16
"""Steps of a plan."""
STEP_S: Final = 86_400
"""Seconds a plan's step may last."""
PRIORITY: Final = 100
"""Priority, up and down."""
CREDITS: Final = 10**12
"""Points of credit, up and down."""
WEIGHT: Final = 1_000
"""An agent's weight for a queue."""
SCORE_FACTOR: Final = 10**9
"""`priority_weight`, and `accel`."""
DURATION_MS: Final = 86_400_000
"""Any configured duration: a day."""
WAITING: Final = 10_000
"""Contacts in a queue."""
AGENT_SKILLS: Final = 100
"""Skills, and attributes, of an agent."""
AGENT_QUEUES: Final = 200
"""Queues of an agent."""
AGENTS_AT_ONCE: Final = 500
"""Agents that one command gives queues or skills."""
MEMBERSHIPS_AT_ONCE: Final = 40_000
"""Memberships of all agents of such a command, those before and those after it together."""
CAPACITY: Final = 50
"""Contacts of a channel at once."""
EXTENSIONS: Final = 100
"""Extensions of a wrap-up."""
TEXT: Final = 256
"""Characters of a name, an address or a reference."""
REASON: Final = 100
"""Characters of a reason or a code."""
MESSAGE: Final = 1_000
"""Characters of an emergency message."""
ATTRIBUTES: Final = 32
"""Attributes of a contact."""
ATTRIBUTE_BYTES: Final = 4_096
"""Attributes of a contact together, in UTF-8."""
