"""From a flow's JSON to a checked flow, or to everything that is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from services.ivr.core import reading
from services.ivr.core.checking import find_problems
from services.ivr.core.limits import (
    MAX_FLOW_BYTES,
    MAX_NODES,
    MAX_PROBLEMS,
    MAX_VARIABLE_BYTES,
    MAX_VARIABLES,
)
from services.ivr.core.names import RESERVED
from services.ivr.core.node_fields import (
    KINDS,
    NEEDED,
    Kind,
    plain_enqueue,
    plain_transfer,
    queue_id,
    treatment_target,
)
from services.ivr.core.reading import Fault
from services.ivr.core.variables import variables_bytes
from services.ivr.model.errors import BadFlow, Problem
from services.ivr.model.flow import (
    ANNOUNCED,
    OFF,
    POLICY,
    TREATMENT,
    TREATMENT_THEN,
    Flow,
    Hangup,
    Node,
    Speak,
    Value,
)

SCHEMA = 1
FLOW_KEYS = (
    "schema",
    "name",
    "language",
    "voice",
    "recording",
    "variables",
    "start",
    "nodes",
    "default_treatment",
)
TREATMENT_ENDS = ("enqueue", "transfer", "hangup")
_RECORDING = reading.one_of(OFF, ANNOUNCED, POLICY)
TREATMENT_REASON = "default-treatment"


def parse_flow(definition_json: str) -> Flow:
    """The flow; BadFlow with every problem found when it must not meet callers."""
    flow = read_flow(definition_json)
    problems = find_problems(flow)
    if problems:
        raise BadFlow(problems[:MAX_PROBLEMS])
    return flow


def read_flow(definition_json: str) -> Flow:
    """A flow that was found good when it was stored; BadFlow when it cannot be read at all.

    What a later release finds wrong with it concerns the next version, not the calls in this one.
    """
    reader = _Reader()
    flow = reader.flow(definition_json)
    if reader.problems or flow is None:
        raise BadFlow(tuple(reader.problems))
    return flow


def problems_of(definition_json: str) -> tuple[Problem, ...]:
    """What is wrong with a flow; empty when it may be published."""
    try:
        parse_flow(definition_json)
    except BadFlow as error:
        return error.problems
    return ()


class _Reader:
    """Reads one flow and collects what it stumbles over."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def flow(self, definition_json: str) -> Flow | None:
        """The flow as far as it can be read; None when nothing of it can."""
        given = self._object(definition_json)
        if given is None:
            return None
        self._known(given, FLOW_KEYS, "")
        self._take(given, "schema", reading.whole(SCHEMA, SCHEMA))
        nodes = self._nodes(given) + self._treatment(given)
        return Flow(
            name=self._take(given, "name", reading.text(100)) or "",
            language=self._take(given, "language", reading.language) or "",
            voice=self._take(given, "voice", reading.optional(reading.text(64)), "") or "",
            variables=self._variables(given),
            start=self._take(given, "start", reading.node_id) or "",
            nodes=nodes,
            recording=self._take(given, "recording", _RECORDING, OFF) or OFF,
        )

    def _object(self, definition_json: str) -> dict[str, Any] | None:
        try:
            if len(definition_json.encode()) > MAX_FLOW_BYTES:
                self._report("", "too-large", f"a flow has at most {MAX_FLOW_BYTES // 1024} KiB")
                return None
            given = json.loads(
                definition_json, object_pairs_hook=self._pairs, parse_constant=_refuse_constant
            )
            # Half a surrogate pair is a text in JSON and in Python, but in no encoding.
            json.dumps(given, ensure_ascii=False).encode()
            return reading.as_object(given)
        except (ValueError, RecursionError) as error:
            self._report("", "not-json", f"the flow is no JSON: {str(error)[:200]}")
        except Fault as fault:
            self._report("", fault.code, f"the flow {fault.message}")
        return None

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # JSON lets the last of two equal keys win: a node that is lost without a word.
        seen: dict[str, Any] = {}
        for name, value in pairs:
            if name in seen:
                self._report("", "duplicate-key", f"the key {name[:64]!a} stands twice")
            seen[name] = value
        return seen

    def _variables(self, given: dict[str, Any]) -> tuple[tuple[str, Value], ...]:
        read = reading.mapping(reading.variable_name, reading.plain, 0, MAX_VARIABLES)
        variables: tuple[tuple[str, Value], ...] = self._take(given, "variables", read, ()) or ()
        for name, _ in variables:
            if name in RESERVED:
                self._report("", "reserved-name", f"`{name}` is a name of Carillon's own")
        if variables_bytes(variables) > MAX_VARIABLE_BYTES:
            self._report("", "too-large", "the variables are larger than 4 KiB together")
        return variables

    def _nodes(self, given: dict[str, Any]) -> tuple[Node, ...]:
        entries = self._take(given, "nodes", reading.as_object) or {}
        if len(entries) > MAX_NODES:
            self._report("", "too-many-nodes", f"a flow has at most {MAX_NODES} nodes")
            return ()
        nodes = [self._node(node_id, entry) for node_id, entry in entries.items()]
        return tuple(node for node in nodes if node is not None)

    def _node(self, node_id: str, entry: Any) -> Node | None:
        if node_id in {TREATMENT, TREATMENT_THEN}:
            self._report(node_id, "reserved-name", f"`{node_id}` is a name of Carillon's own")
            return None
        try:
            reading.node_id(node_id)
            fields = reading.as_object(entry)
        except Fault as fault:
            self._report(node_id, fault.code, fault.message)
            return None
        name = fields.get("kind")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            hint = reading.suggest(str(name), tuple(KINDS))
            self._report(node_id, "unknown-kind", f"there is no node kind `{name}`{hint}")
            return None
        before = len(self.problems)
        self._known(fields, ("kind", *(field.key for field in kind.fields)), node_id)
        values = self._values(fields, kind, node_id)
        if len(self.problems) > before:
            return None
        try:
            return kind.make(id=node_id, **values)
        except Fault as fault:
            self._report(node_id, fault.code, fault.message)
            return None

    def _values(self, fields: dict[str, Any], kind: Kind, node_id: str) -> dict[str, Any]:
        return {
            field.name: self._take(fields, field.key, field.read, field.default, node_id)
            for field in kind.fields
        }

    def _treatment(self, given: dict[str, Any]) -> tuple[Node, ...]:
        treatment = self._take(given, "default_treatment", reading.as_object)
        if treatment is None:
            return ()
        self._known(treatment, ("say", *TREATMENT_ENDS), TREATMENT)
        said = self._take(treatment, "say", reading.message, (), TREATMENT) or ()
        ends = [name for name in TREATMENT_ENDS if name in treatment]
        if len(ends) != 1:
            self._report(
                TREATMENT, "wrong-treatment", "needs exactly one of enqueue, transfer and hangup"
            )
            return ()
        then = self._treatment_end(treatment, ends[0])
        words = Speak(TREATMENT, said, TREATMENT_THEN)
        return (words, then) if then is not None else ()

    def _treatment_end(self, treatment: dict[str, Any], end: str) -> Node | None:
        if end == "enqueue":
            queue = self._take(treatment, end, queue_id, node=TREATMENT)
            return plain_enqueue(TREATMENT_THEN, queue, ()) if queue else None
        if end == "transfer":
            target = self._take(treatment, end, treatment_target, node=TREATMENT)
            return plain_transfer(TREATMENT_THEN, target) if target else None
        if treatment[end] is not True:
            self._report(TREATMENT, "wrong-treatment", "`hangup` must be true")
            return None
        return Hangup(TREATMENT_THEN, TREATMENT_REASON, 0)

    def _known(self, given: dict[str, Any], allowed: tuple[str, ...], node: str) -> None:
        for name in given:
            if name not in allowed:
                hint = reading.suggest(name, allowed)
                self._report(node, "unknown-key", f"`{name[:64]}` means nothing here{hint}")

    def _take(
        self,
        given: dict[str, Any],
        key: str,
        read: reading.Reader[Any],
        default: Any = NEEDED,
        node: str = "",
    ) -> Any:
        if key not in given:
            if default is NEEDED:
                self._report(node, "missing-key", f"`{key}` is missing")
                return None
            return default
        try:
            return read(given[key])
        except Fault as fault:
            self._report(node, fault.code, f"`{key}`: {fault.message}")
            return None

    def _report(self, node: str, code: str, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(node[:64], code, message))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
