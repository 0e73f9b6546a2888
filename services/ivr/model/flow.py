"""A call flow as frozen data: nodes, and the edges between them.

A node kind is a dataclass here, a table row in `core.node_fields`, and an entrance in
`core.entering`; nothing else has to know it.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.ivr.model.calendars import Opening, SpecialDay

Value = str | int | float | bool
"""What a variable can hold."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to hear. Exactly one of `text`, `sha256`, `system` and `prompt_id` is set.

    But for a prompt of the library whose sound is known: it has its `sha256` as well.
    """

    text: str = ""
    """Words to speak, with placeholders."""
    language: str = ""
    """Of the text; empty: the flow's."""
    sha256: str = ""
    """A recording: lower-case hex hash of a mono 16-bit 8,000 Hz WAV blob."""
    system: str = ""
    """A sound that every gateway has: music, apology, ringback or beep."""
    prompt_id: str = ""
    """A prompt of the tenant's library."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way out of a node."""

    label: str
    """What leads this way, for example `on_timeout` or `choices.1`."""
    target: str
    """The node it leads to."""
    by_caller: bool = False
    """Taken only when the caller does something: a loop of the other kind would never end."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a flow; the subclasses say what happens there."""

    id: str
    """Unique in the flow."""

    def edges(self) -> tuple[Edge, ...]:
        """Every way out; none where a call ends."""
        return ()

    def prompts(self) -> tuple[Prompt, ...]:
        """All that the caller may hear here."""
        return ()

    def templates(self) -> tuple[str, ...]:
        """Texts with placeholders that are not spoken."""
        return ()

    def expressions(self) -> tuple[str, ...]:
        """CEL evaluated here."""
        return ()

    def assigns(self) -> tuple[str, ...]:
        """Variables written here."""
        return ()

    def ends(self) -> bool:
        """Whether a call can come to its proper end here."""
        return False


@dataclass(frozen=True, slots=True)
class Answer(Node):
    """Answers the call."""

    next: str
    """Where it goes on."""

    def edges(self) -> tuple[Edge, ...]:
        """Straight on."""
        return (Edge("next", self.next),)


@dataclass(frozen=True, slots=True)
class Speak(Node):
    """Plays prompts one after another; `say` and `play` in a flow."""

    spoken: tuple[Prompt, ...]
    """1 to 16."""
    next: str
    """Where it goes on."""

    def edges(self) -> tuple[Edge, ...]:
        """Straight on."""
        return (Edge("next", self.next),)

    def prompts(self) -> tuple[Prompt, ...]:
        """What is played."""
        return self.spoken


@dataclass(frozen=True, slots=True)
class Menu(Node):
    """One key decides."""

    spoken: tuple[Prompt, ...]
    """The question."""
    choices: tuple[tuple[str, str], ...]
    """Key and node."""
    timeout_ms: int
    """From the end of the question to the key."""
    retries: int
    """How often the question is repeated after silence or a wrong key."""
    wrong: tuple[Prompt, ...]
    """Heard before the question is repeated after a wrong key."""
    barge_in: bool
    """Whether a key cuts the question short."""
    on_timeout: str
    """Where silence leads in the end."""
    on_invalid: str
    """Where wrong keys lead in the end."""

    def edges(self) -> tuple[Edge, ...]:
        """The choices, and the ways of those who make none."""
        chosen = tuple(Edge(f"choices.{key}", node, by_caller=True) for key, node in self.choices)
        return (*chosen, Edge("on_timeout", self.on_timeout), Edge("on_invalid", self.on_invalid))

    def prompts(self) -> tuple[Prompt, ...]:
        """The question and the correction."""
        return self.spoken + self.wrong


@dataclass(frozen=True, slots=True)
class Gather(Node):
    """Collects keys into a variable."""

    spoken: tuple[Prompt, ...]
    """The question."""
    into: str
    """The variable."""
    min_digits: int
    """Fewer are invalid."""
    max_digits: int
    """1 to 32; the last ends the input."""
    end_key: str
    """Ends the input; empty: none."""
    timeout_ms: int
    """From the end of the question to the first key."""
    next_digit_timeout_ms: int
    """Between keys."""
    retries: int
    """How often the question is repeated."""
    wrong: tuple[Prompt, ...]
    """Heard before the question is repeated after too few keys."""
    barge_in: bool
    """Whether a key cuts the question short."""
    safe: bool
    """True: the digits may stand in records; otherwise they are masked."""
    next: str
    """Where it goes on with the digits."""
    on_timeout: str
    """Where silence leads in the end."""
    on_invalid: str
    """Where too few digits lead in the end."""

    def edges(self) -> tuple[Edge, ...]:
        """With digits, in silence, or with too few."""
        return (
            Edge("next", self.next, by_caller=True),
            Edge("on_timeout", self.on_timeout),
            Edge("on_invalid", self.on_invalid),
        )

    def prompts(self) -> tuple[Prompt, ...]:
        """The question and the correction."""
        return self.spoken + self.wrong

    def assigns(self) -> tuple[str, ...]:
        """The digits' variable."""
        return (self.into,)


@dataclass(frozen=True, slots=True)
class Consent(Node):
    """Tells the caller of the recording, or asks for it."""

    spoken: tuple[Prompt, ...]
    """The announcement or the question."""
    asks: bool
    """False: who was told and stayed has consented; True: only who presses the key has."""
    accept_key: str
    """Agrees."""
    refuse_key: str
    """Refuses; so do silence and wrong keys in the end."""
    timeout_ms: int
    """From the end of the question to the key."""
    retries: int
    """How often the question is repeated after silence or a wrong key."""
    wrong: tuple[Prompt, ...]
    """Heard before the question is repeated after a wrong key."""
    barge_in: bool
    """Whether a key cuts the question short."""
    next: str
    """Where it goes on with consent."""
    on_refused: str
    """Where it goes on without."""

    def edges(self) -> tuple[Edge, ...]:
        """With consent, which a question needs a key for, and without."""
        if not self.asks:
            return (Edge("next", self.next),)
        return (Edge("next", self.next, by_caller=True), Edge("on_refused", self.on_refused))

    def prompts(self) -> tuple[Prompt, ...]:
        """The words and the correction."""
        return self.spoken + self.wrong


@dataclass(frozen=True, slots=True)
class SetVariables(Node):
    """Writes variables, in order."""

    values: tuple[tuple[str, str], ...]
    """Variable and CEL."""
    next: str
    """Where it goes on."""

    def edges(self) -> tuple[Edge, ...]:
        """Straight on."""
        return (Edge("next", self.next),)

    def expressions(self) -> tuple[str, ...]:
        """What is computed."""
        return tuple(expression for _, expression in self.values)

    def assigns(self) -> tuple[str, ...]:
        """What is written."""
        return tuple(name for name, _ in self.values)


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """The first case that holds decides."""

    cases: tuple[tuple[str, str], ...]
    """CEL that gives true or false, and node."""
    otherwise: str
    """Where it goes when none holds; `else` in a flow."""

    def edges(self) -> tuple[Edge, ...]:
        """One per case, and the rest."""
        cases = tuple(Edge(f"cases.{at}", node) for at, (_, node) in enumerate(self.cases))
        return (*cases, Edge("else", self.otherwise))

    def expressions(self) -> tuple[str, ...]:
        """The cases' conditions."""
        return tuple(expression for expression, _ in self.cases)


@dataclass(frozen=True, slots=True)
class Hours(Node):
    """Whether somebody is there now."""

    time_zone: str
    """IANA name; empty: a calendar's that is not known yet."""
    weekly: tuple[Opening, ...]
    """When it is open."""
    dates: tuple[str, ...]
    """Days off, ISO 8601 dates."""
    country: str
    """Whose public holidays are off, ISO 3166 code; empty: none."""
    subdivision: str
    """The part of the country; empty: holidays of the whole country only."""
    open: str
    """Where it goes when open."""
    closed: str
    """Where it goes outside hours."""
    holiday: str
    """Where it goes on a day off."""
    calendar: str = ""
    """The tenant's calendar that it goes by; empty: its own hours."""
    special_days: tuple[SpecialDay, ...] = ()
    """The calendar's."""

    def edges(self) -> tuple[Edge, ...]:
        """Open, closed or a day off."""
        return (
            Edge("open", self.open),
            Edge("closed", self.closed),
            Edge("holiday", self.holiday),
        )


@dataclass(frozen=True, slots=True)
class Enqueue(Node):
    """Waits in a queue, rings agents, talks."""

    queue_id: str
    """Where to wait."""
    priority: int
    """-100 to 100; larger is more urgent."""
    skills: tuple[tuple[str, int], ...]
    """Skill and least level, all needed; empty: the queue's own plan."""
    attributes: tuple[tuple[str, str], ...]
    """Key and text with placeholders, for routing and the agent's screen."""
    music: Prompt
    """Heard while waiting."""
    messages: tuple[tuple[Prompt, ...], ...]
    """Said in turn, every `message_every_ms`."""
    message_every_ms: int
    """From the beginning of one message to the next."""
    leave_key: str
    """Takes the caller out of the queue; empty: none does."""
    leave_exit: str
    """What leaving by key counts as: abandoned, callback or voicemail."""
    on_leave: str
    """Where the key leads."""
    on_exit: tuple[tuple[str, str], ...]
    """Other exits (timeout, closed, refused_full ...) and nodes; the rest are failures."""
    after_agent: str
    """Where it goes when the agent hung up; empty: the call ends."""

    def edges(self) -> tuple[Edge, ...]:
        """By key, by exit, after the conversation."""
        leave = (Edge("on_leave", self.on_leave, by_caller=True),) if self.leave_key else ()
        exits = tuple(Edge(f"on_exit.{name}", node) for name, node in self.on_exit)
        # A conversation took place before, so a loop through it is not one without an exit.
        after = (Edge("after_agent", self.after_agent, by_caller=True),) if self.after_agent else ()
        return (*leave, *exits, *after)

    def prompts(self) -> tuple[Prompt, ...]:
        """Music and messages."""
        return (self.music, *(prompt for message in self.messages for prompt in message))

    def templates(self) -> tuple[str, ...]:
        """The attributes' texts."""
        return tuple(text for _, text in self.attributes)

    def ends(self) -> bool:
        """A conversation is what a call is for."""
        return True


@dataclass(frozen=True, slots=True)
class Transfer(Node):
    """Connects the caller with a number outside."""

    target: str
    """A number or SIP URI, with placeholders."""
    timeout_ms: int
    """How long it rings."""
    caller_id: str
    """E.164; empty: the number that was called."""
    on_failed: str
    """Where it goes when nobody answers; empty: a failure of the flow."""

    def edges(self) -> tuple[Edge, ...]:
        """When it fails."""
        return (Edge("on_failed", self.on_failed),) if self.on_failed else ()

    def templates(self) -> tuple[str, ...]:
        """The target."""
        return (self.target,)

    def ends(self) -> bool:
        """A conversation is what a call is for."""
        return True


@dataclass(frozen=True, slots=True)
class Hangup(Node):
    """Ends the call."""

    reason: str
    """In lower-case kebab form."""
    sip_status: int
    """For a caller who was not answered; 0: 480."""

    def ends(self) -> bool:
        """By definition."""
        return True


TREATMENT = "default_treatment"
"""The id of the node where the default treatment begins."""
TREATMENT_THEN = "default_treatment_then"
"""The id of the node that it leads to after its words."""


OFF, ANNOUNCED, POLICY = "off", "announced", "policy"
"""Whether a flow's calls are recorded: never, once a node has told or asked, or from the start."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow, checked."""

    name: str
    """For people."""
    language: str
    """What its texts are spoken in, for example `en-us`."""
    voice: str
    """Of the speech engine; empty: the language's own."""
    variables: tuple[tuple[str, Value], ...]
    """Declared names and what they hold at first."""
    start: str
    """Where a call begins."""
    nodes: tuple[Node, ...]
    """All of them, the two of the default treatment included."""
    recording: str = OFF
    """off, announced or policy."""
    may_record: bool = True
    """False: the tenant records nothing, whatever its flows say."""

    def node(self, node_id: str) -> Node | None:
        """The node of that id."""
        return next((node for node in self.nodes if node.id == node_id), None)
