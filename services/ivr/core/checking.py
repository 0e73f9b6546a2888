"""What can be wrong with a flow whose single values are right: names, loops, dead ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.ivr.core import expressions, templates
from services.ivr.core.names import EXPRESSION_NAMES, QUEUE_NAMES, TEXT_NAMES
from services.ivr.core.node_fields import DEFAULT_MESSAGES
from services.ivr.core.phrases import is_known
from services.ivr.core.reading import suggest
from services.ivr.model.errors import BadExpression, BadTemplate, Problem
from services.ivr.model.flow import (
    ANNOUNCED,
    OFF,
    TREATMENT,
    TREATMENT_THEN,
    Consent,
    Edge,
    Enqueue,
    Flow,
    Gather,
    Node,
    SetVariables,
)


def find_problems(flow: Flow) -> tuple[Problem, ...]:
    """Everything, in the order of the nodes; reachability only once every edge leads somewhere."""
    problems = [*_missing(flow), *_names(flow), *_secrets(flow), *_recording(flow)]
    if not any(problem.code == "missing-node" for problem in problems):
        problems += [*_unreachable(flow), *_endless(flow), *_exitless(flow)]
    return tuple(problems)


def _missing(flow: Flow) -> Iterator[Problem]:
    ids = tuple(node.id for node in flow.nodes)
    offered = tuple(node_id for node_id in ids if node_id not in {TREATMENT, TREATMENT_THEN})
    if flow.start not in offered:
        yield Problem(
            "",
            "missing-node",
            f"`start` names `{flow.start}`, which is no node{suggest(flow.start, offered)}",
        )
    for node in flow.nodes:
        for edge in node.edges():
            if edge.target not in ids:
                hint = suggest(edge.target, offered)
                yield Problem(
                    node.id,
                    "missing-node",
                    f"`{edge.label}` leads to `{edge.target}`, which is no node{hint}",
                )


# ---- names ------------------------------------------------------------------------------------


def _names(flow: Flow) -> Iterator[Problem]:
    variables = frozenset(name for name, _ in flow.variables)
    for node in flow.nodes:
        for name in node.assigns():
            if name not in variables:
                yield _undeclared(node, name, variables)
        for expression in node.expressions():
            try:
                expressions.check_expression(expression, variables | EXPRESSION_NAMES)
            except BadExpression as error:
                yield Problem(node.id, error.code, f"`{expression[:80]}`: {error}")
        in_queue = {prompt.text for prompt in node.prompts()} if isinstance(node, Enqueue) else ()
        for text in _texts(node):
            extra = QUEUE_NAMES if text in in_queue else frozenset()
            yield from _template(flow, node, text, variables | TEXT_NAMES | extra)


def _template(flow: Flow, node: Node, text: str, known: frozenset[str]) -> Iterator[Problem]:
    try:
        used = templates.names(text)
    except BadTemplate as error:
        yield Problem(node.id, error.code, f"`{text[:80]}`: {error}")
        return
    for name in sorted(used - known):
        yield _undeclared(node, name, known)
    chosen = isinstance(node, Enqueue) and node.messages is not DEFAULT_MESSAGES
    if "queue_message" in used and chosen and not is_known(flow.language):
        yield Problem(
            node.id,
            "no-phrases",
            f"`queue_message` has no words in {flow.language}; write `messages` with {{position}} "
            "and {expected_wait_minutes}",
        )


def _undeclared(node: Node, name: str, known: Iterable[str]) -> Problem:
    if name in QUEUE_NAMES:
        return Problem(
            node.id, "undeclared-name", f"`{name}` is known only in the messages of a queue"
        )
    hint = suggest(name, tuple(known))
    return Problem(
        node.id, "undeclared-name", f"`{name}` is not declared in the flow's variables{hint}"
    )


def _texts(node: Node) -> tuple[str, ...]:
    spoken = tuple(prompt.text for prompt in node.prompts() if prompt.text)
    return tuple(dict.fromkeys(spoken + node.templates()))


def secret_variables(flow: Flow) -> dict[str, str]:
    """Variables that may hold keyed digits which no node calls safe, and the node they are from."""
    secret = {
        node.into: node.id for node in flow.nodes if isinstance(node, Gather) and not node.safe
    }
    computed = [
        (name, _used(expression))
        for node in flow.nodes
        if isinstance(node, SetVariables)
        for name, expression in node.values
    ]
    for _ in flow.variables:  # a round without a new secret is the last that matters
        for name, used in computed:
            source = next((secret[other] for other in sorted(used) if other in secret), None)
            if source is not None:
                secret.setdefault(name, source)
    return secret


def _secrets(flow: Flow) -> Iterator[Problem]:
    """Keyed digits that no node calls safe must not reach records through attributes."""
    secret = secret_variables(flow)
    for node in flow.nodes:
        if not isinstance(node, Enqueue):
            continue
        for key, text in node.attributes:
            for name in _named(text):
                if name in secret:
                    yield Problem(
                        node.id,
                        "secret-in-record",
                        f"attribute `{key}` would put the digits of node {secret[name]} into "
                        "records; set `safe` there if they may stand in them",
                    )


def _recording(flow: Flow) -> Iterator[Problem]:
    """Whether the flow asks for, or tells of, what it does, and does what it tells of."""
    consents = [node for node in flow.nodes if isinstance(node, Consent)]
    if flow.recording == ANNOUNCED and not consents:
        yield Problem(
            "",
            "no-consent",
            "`recording` is announced, but no `consent` node announces it; nothing would be "
            "recorded",
        )
    if flow.recording == OFF:
        for node in consents:
            yield Problem(
                node.id,
                "nothing-recorded",
                "the flow's `recording` is off; set it to announced or policy",
            )


def _used(expression: str) -> frozenset[str]:
    try:
        return expressions.names_in(expression)
    except BadExpression:
        return frozenset()  # reported by _names


def _named(text: str) -> frozenset[str]:
    try:
        return templates.names(text)
    except BadTemplate:
        return frozenset()  # reported by _names


# ---- edges ------------------------------------------------------------------------------------


def _reached(starts: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:  # every node is taken at most once
        node_id = waiting.pop()
        if node_id not in seen:
            seen.add(node_id)
            waiting += edges.get(node_id, ())
    return seen


def _unreachable(flow: Flow) -> Iterator[Problem]:
    forward = {node.id: tuple(edge.target for edge in node.edges()) for node in flow.nodes}
    seen = _reached((flow.start, TREATMENT), forward)
    for node in flow.nodes:
        if node.id not in seen:
            yield Problem(
                node.id, "unreachable-node", "no way leads here; connect the node or remove it"
            )


def _exitless(flow: Flow) -> Iterator[Problem]:
    """Nodes from which no call comes to a proper end, whatever its caller does."""
    backward: dict[str, list[str]] = {}
    for node in flow.nodes:
        for edge in node.edges():
            backward.setdefault(edge.target, []).append(node.id)
    ending = _reached((node.id for node in flow.nodes if node.ends()), backward)
    for node in flow.nodes:
        if node.id not in ending:
            yield Problem(
                node.id,
                "loop-without-exit",
                "from here no hangup, transfer or enqueue can ever be reached",
            )


def _endless(flow: Flow) -> Iterator[Problem]:
    """Loops that go on for ever when the caller does nothing."""
    ways = {
        node.id: tuple(edge for edge in node.edges() if not edge.by_caller) for node in flow.nodes
    }
    backward: dict[str, set[str]] = {node_id: set() for node_id in ways}
    for node_id, edges in ways.items():
        for edge in edges:
            backward[edge.target].add(node_id)
    # Strip what leads nowhere in the end; what is left is on a loop or leads into one.
    left = {node_id: len({edge.target for edge in edges}) for node_id, edges in ways.items()}
    finished = [node_id for node_id, count in left.items() if count == 0]
    while finished:  # every node is finished at most once
        for before in backward[finished.pop()]:
            left[before] -= 1
            if left[before] == 0:
                finished.append(before)
    looping = {node_id for node_id, count in left.items() if count > 0}
    for node_id, edges in ways.items():
        if node_id in looping and _returns(node_id, ways, looping):
            edge = next(edge for edge in edges if edge.target in looping)
            yield Problem(
                node_id,
                "loop-without-exit",
                f"`{edge.label}` leads round in a loop that a silent caller never leaves",
            )


def _returns(node_id: str, ways: dict[str, tuple[Edge, ...]], looping: set[str]) -> bool:
    inside = {
        at: tuple(edge.target for edge in ways[at] if edge.target in looping) for at in looping
    }
    return node_id in _reached(inside[node_id], inside)
