"""The limits of flows and of the calls in them."""

from __future__ import annotations

MAX_FLOW_BYTES = 256 * 1024
MAX_NODES = 500
MAX_TEXT_CHARS = 1_000
MAX_PROMPTS = 16
"""Heard in one operation."""
MAX_CORRECTIONS = 4
"""Of those, heard before a question that is repeated."""
MAX_VARIABLES = 32
MAX_VARIABLE_BYTES = 4 * 1024
"""All variables of a call together, as JSON in UTF-8."""
MAX_ATTRIBUTES = 26
"""Of a flow; six more say who calls whom, and 32 is what acd takes."""
MAX_ATTRIBUTE_BYTES = 4 * 1024 - 1_000
"""Of a flow; the rest says who calls whom."""
MAX_FACT_ATTRIBUTE_BYTES = 128
"""Of each of those six but the caller's number as it came."""
MAX_CONTACT_ATTRIBUTES = 32
MAX_CONTACT_BYTES = 4 * 1024
"""Of all attributes of a contact together, names and texts: what acd takes."""
MAX_PATH_BYTES = 512
"""Of what the caller answered to which questions; the newest are kept."""
MAX_KEYED_BYTES = 256
MAX_REASON_BYTES = 400
"""Of why a caller is handed on: 100 characters in any script."""
MAX_PROBLEMS = 100
"""Told at once about one flow."""

MAX_STEPS_PER_EVENT = 100
"""Nodes entered without waiting for the outside."""
MAX_NODES_PER_CALL = 1_000
"""Nodes entered in one call, however often its caller keys on."""
MAX_STAYS_PER_CALL = 20
MAX_FAILED_IN_A_ROW = 5
"""Operations that may fail one after another while a caller waits."""

MAX_CHECKPOINT_BYTES = 16 * 1024
MAX_FACT_BYTES = 256
"""Of one fact about a call: an address, a name."""
MAX_HEADERS = 16
MAX_HEADER_BYTES = 1024
"""All headers of a call together."""
MAX_FAREWELL_BYTES = 1_000
"""Of what a closed queue has to say."""
MAX_NOTE_CHARS = 256
MAX_DIGITS = 32

LOOK_UP_LIMIT_MS = 300
"""From the invitation: no caller waits longer for a customer to be found."""
DELAY_AFTER_MS = 4_000
"""From asking for a place to the words that it takes long."""
FIRST_MESSAGE_AFTER_MS = 1_000
"""From the known position to the first message, so that it does not cut the music's beginning."""
MESSAGE_DIGIT_TIMEOUT_MS = 100
"""After a message, before the music comes back: keys are heard during both."""
RING_GRACE_MS = 10_000
"""Beyond the ring time-out, for the gateway to say how it ended."""
ACCEPT_LIMIT_MS = 20_000
"""From an agent's answer to acd's word on it: longer than a database that is restarted is away."""
BRIDGE_LIMIT_MS = 8_000
TRANSFER_RING_MS = 30_000
"""For the colleague or the number that a caller is handed on to."""
APOLOGY_LIMIT_MS = 10_000
