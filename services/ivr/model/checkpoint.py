"""Where a call stands in its flow: all that another replica needs to go on from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.ivr.model.call import TransferKind
from services.ivr.model.flow import Value


class Stage(StrEnum):
    """What the call is doing, as its flow sees it; `core.stages` says what fits where."""

    LOOKING_UP = "looking_up"
    """The node that comes next needs to know the customer, who is being looked up."""
    IN_NODE = "in_node"
    """Something is said or asked."""
    DIALLING = "dialling"
    """A number outside is rung."""
    JOINING = "joining"
    """acd was asked for a place in a queue."""
    QUEUED = "queued"
    """It has one."""
    RINGING = "ringing"
    """An agent's endpoint rings."""
    ANSWERED = "answered"
    """The endpoint answered; acd has yet to agree."""
    ACCEPTED = "accepted"
    """acd agreed first; the endpoint has yet to answer."""
    BRIDGING = "bridging"
    """The gateway was told to join the legs."""
    TALKING = "talking"
    """Caller and far end hear each other."""
    APOLOGISING = "apologising"
    """Nothing else is left: an apology, then the end."""
    ENDED = "ended"
    """The last command was to hang up."""


WAITING = frozenset(
    {
        Stage.JOINING,
        Stage.QUEUED,
        Stage.RINGING,
        Stage.ANSWERED,
        Stage.ACCEPTED,
    }
)
"""The stages in which the caller waits in a queue; so they do while bridging with an agent."""


class Purpose(StrEnum):
    """What the outstanding operation is for."""

    NONE = ""
    PROMPT = "prompt"
    """A node's own prompts or question."""
    MUSIC = "music"
    """Waiting."""
    MESSAGE = "message"
    """Words in the queue."""
    FAREWELL = "farewell"
    """What a closed queue has to say."""
    RINGBACK = "ringback"
    """While a number outside rings."""
    APOLOGY = "apology"
    """The last words."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known about a call from the beginning."""

    call_id: str
    """UUIDv7."""
    caller: str = ""
    """Who calls."""
    called: str = ""
    """The number called."""
    caller_name: str = ""
    """As it came."""
    asserted_identity: str = ""
    """From a trusted trunk."""
    diversion: str = ""
    """Where it was diverted from."""
    trunk: str = ""
    """Where it came in."""
    gateway_address: str = ""
    """Who carries it."""
    headers: tuple[tuple[str, str], ...] = ()
    """What policy let through, names in lower case."""


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What is known about the customer who calls."""

    customer_id: str = ""
    """Who."""
    name: str = ""
    """What people call them."""
    segment: str = ""
    """For example `vip`."""
    language: str = ""
    """A language tag."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay in one queue."""

    entry_id: str
    """UUIDv7."""
    queue_id: str
    """Where."""
    asked_since_ms: int = 0
    """UTC milliseconds from which waiting was asked to count when joining; 0: from then."""
    waiting_since_ms: int = 0
    """UTC milliseconds from which it counts; 0: not known yet."""
    position: int = 0
    """1 is next; 0: not known yet."""
    expected_wait_ms: int = -1
    """What may be announced; -1: too little is known."""
    next_message_at_ms: int = 0
    """UTC milliseconds; 0: no message is due."""
    delay_at_ms: int = 0
    """UTC milliseconds: when the caller is told that joining takes long; 0: not any more."""
    messages_said: int = 0
    """Which message is next."""
    ended_ring: str = ""
    """The last reservation that came to nothing ..."""
    ended_outcome: str = ""
    """... and why, should acd not have heard."""
    agent_id: str = ""
    """The colleague whom it is for at first; empty: whom the queue's plan chooses."""
    else_queue_id: str = ""
    """Where it goes when that colleague does not take it; empty: it stays, for anybody."""
    exit: str = ""
    """How it ended, while the farewell is being said."""
    message: str = ""
    """The farewell."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A far end that rings, answered or talks."""

    ring_id: str
    """A reservation's id or a dial's name."""
    agent_id: str
    """Whose endpoint; empty: a number outside."""
    give_up_at_ms: int
    """UTC milliseconds: when it is given up if nothing is heard of it."""
    rang: bool = False
    """Whether the far end was heard ringing."""
    browser: bool = False
    """True: an agent's browser, which connects by itself once its agent accepted."""

    @property
    def agent(self) -> bool:
        """Whether it is an agent's, by reservation."""
        return bool(self.agent_id)


@dataclass(frozen=True, slots=True)
class Handing:
    """A caller whom an agent handed on."""

    kind: TransferKind
    """What the target is."""
    target: str
    """A queue's or an agent's id, or a number."""
    from_queue_id: str
    """Where the caller was when that agent answered ..."""
    since_ms: int = 0
    """... and since when they had waited there, UTC milliseconds; 0: not known."""
    reason: str = ""
    """As the agent said."""
    by_name: str = ""
    """What people call the agent."""
    failed: bool = False
    """Whether the target did not take the caller."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a call stands in its flow."""

    flow_id: str
    """Which flow ..."""
    version: int
    """... and which version of it, for the whole call."""
    call: CallFacts
    """The call."""
    stage: Stage
    """What it is doing."""
    node: str
    """Where in the flow."""
    variables: tuple[tuple[str, Value], ...] = ()
    """Declared names and what they hold."""
    digits: str = ""
    """What was keyed last."""
    answered: bool = False
    """Whether the caller was answered."""
    operation: str = ""
    """The outstanding operation; empty: none."""
    purpose: Purpose = Purpose.NONE
    """What it is for."""
    operations: int = 0
    """How many there were: names the next."""
    failed_in_a_row: int = 0
    """Operations that failed since one worked."""
    attempt: int = 0
    """Repetitions of the present question."""
    corrected: bool = False
    """Whether the present repetition begins with the correction."""
    entered: int = 0
    """Nodes entered in this call."""
    stays: int = 0
    """Stays in queues so far: names the next."""
    dials: int = 0
    """Numbers dialled so far: names the next."""
    customer: CustomerFacts | None = None
    """Who calls; None: nobody known."""
    customer_until_ms: int = 0
    """UTC milliseconds until which a node waits for the look-up; 0: it is over."""
    stay: Stay | None = None
    """In a queue."""
    ring: Ring | None = None
    """Somebody to talk to."""
    handing: Handing | None = None
    """Set from a transfer on, until another node is entered."""
    completed: str = ""
    """The last reservation whose conversation ended, should acd not have heard ..."""
    completed_by: str = ""
    """... who ended it ..."""
    completed_reason: str = ""
    """... and why."""
    path: str = ""
    """What the caller answered to which questions, for the agent's screen."""
    keyed: str = ""
    """What they keyed at them, as far as the flow names it safe."""
    treated: str = ""
    """Why the default treatment was begun; empty: it was not."""
    give_up_at_ms: int = 0
    """UTC milliseconds: when an apology that nobody ends is cut; 0: no limit."""
    ended_class: str = ""
    """How the call ended: the class ..."""
    ended_reason: str = ""
    """... and the reason."""
    consumed_seq: int = 0
    """The gateway's last event that is accounted for; kept by the shell."""
