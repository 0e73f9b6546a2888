"""What is let into the state: configuration and contacts within their limits."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from services.acd.core import limits
from services.acd.core.comparators import check_strategies
from services.acd.core.expressions import check_plan
from services.acd.model import (
    AgentConfig,
    EnqueueContact,
    InvalidConfigurationError,
    InvalidContactError,
    InvalidTextError,
    QueueConfig,
    RingRule,
    TenantDefaults,
    WrapUpMode,
    WrapUpPolicy,
)


def check_defaults(defaults: TenantDefaults) -> None:
    """InvalidConfigurationError."""
    _check_wrap_up(defaults.wrap_up)
    _check_ring_rules(defaults.ring_rules)
    _within("rona limit", defaults.rona.limit, 1, limits.STRIKES)
    _within("rona window_ms", defaults.rona.window_ms, 1, limits.DURATION_MS)
    _within("delivery_ms", defaults.delivery_ms, 1, limits.DURATION_MS)
    _within("connect_ms", defaults.connect_ms, 1, limits.DURATION_MS)
    _within("detach_grace_ms", defaults.detach_grace_ms, 1, limits.DURATION_MS)
    _within("service_level_percent", defaults.service_level_percent, 1, 100)
    _unique("channel block", (block.channel for block in defaults.blocks))
    if any(block.channel in block.blocks for block in defaults.blocks):
        raise InvalidConfigurationError("a channel's capacity, not a block, limits the channel")


def check_queue(queue: QueueConfig) -> None:
    """InvalidConfigurationError, UnknownStrategyError or InvalidExpressionError."""
    _name("queue id", queue.queue_id)
    _text("queue name", queue.name)
    check_strategies(queue.strategies)
    check_plan(queue.plan)
    _within("max_waiting", queue.max_waiting, 1, limits.WAITING)
    _within("ring_timeout_ms", queue.ring_timeout_ms, 1, limits.DURATION_MS)
    if queue.max_wait_ms is not None:
        _within("max_wait_ms", queue.max_wait_ms, 1, limits.DURATION_MS)
    scoring = queue.scoring
    _within("priority_weight", scoring.priority_weight, 0, limits.SCORE_FACTOR)
    _within("accel", scoring.accel, 0, limits.SCORE_FACTOR)
    _within("wait_cap_ms", scoring.wait_cap_ms, 1, 10 * limits.DURATION_MS)
    _within("return_credit", scoring.return_credit, 0, limits.CREDITS)
    if queue.wrap_up is not None:
        _check_wrap_up(queue.wrap_up)
    _check_ring_rules(queue.ring_rules)
    if queue.assumed_handle_s is not None:
        _within("assumed_handle_s", queue.assumed_handle_s, 1, limits.STEP_S)
    _within("min_sample", queue.min_sample, 1, 1_000_000)
    if queue.service_level_percent is not None:
        _within("service_level_percent", queue.service_level_percent, 1, 100)
    _within("announce_rise_s", queue.announce_rise_s, 0, limits.STEP_S)


def check_agent(agent: AgentConfig) -> None:
    """InvalidConfigurationError."""
    _name("agent id", agent.agent_id)
    _text("agent name", agent.name)
    _text("endpoint", agent.endpoint)
    for what, items in (("skills", agent.skills), ("attributes", agent.attributes)):
        _within(f"number of {what}", len(items), 0, limits.AGENT_SKILLS)
    _unique("skill", (skill.name for skill in agent.skills))
    for skill in agent.skills:
        _name("skill", skill.name)
        _within("skill level", skill.level, 1, 10)
    _unique("attribute", (attribute.name for attribute in agent.attributes))
    for attribute in agent.attributes:
        _name("attribute", attribute.name)
        _text("attribute value", attribute.value)
    _within("number of queues", len(agent.queues), 0, limits.AGENT_QUEUES)
    _unique("queue", (membership.queue_id for membership in agent.queues))
    for membership in agent.queues:
        _name("queue id", membership.queue_id)
        _within("weight", membership.weight, 1, limits.WEIGHT)
        _within("position", membership.position, 0, 1_000_000)
    _unique("channel", (capacity.channel for capacity in agent.capacities))
    for capacity in agent.capacities:
        _within("capacity", capacity.limit, 0, limits.CAPACITY)


def check_listed(what: str, ids: Sequence[str], least: int, most: int) -> None:
    """InvalidConfigurationError, unless so many are named, each once."""
    _within(f"number of {what}s", len(ids), least, most)
    _unique(what, ids)


def check_contact(command: EnqueueContact, now_ms: int) -> None:
    """InvalidContactError, or what is wrong with its plan."""
    if not command.entry_id or not command.contact_id:
        raise InvalidContactError("a contact needs its ids")
    if max(len(command.entry_id), len(command.contact_id)) > limits.TEXT:
        raise InvalidContactError(f"an id has at most {limits.TEXT} characters")
    check_urgency(command.priority, command.credits)
    since_ms = command.waiting_since_ms
    if since_ms is not None and not 0 <= since_ms <= now_ms:
        raise InvalidContactError("waiting cannot begin in the future")
    if len(command.attributes) > limits.ATTRIBUTES:
        raise InvalidContactError(f"a contact has at most {limits.ATTRIBUTES} attributes")
    size = sum(len(f"{a.name}{a.value}".encode()) for a in command.attributes)
    if size > limits.ATTRIBUTE_BYTES:
        raise InvalidContactError(f"attributes have at most {limits.ATTRIBUTE_BYTES} bytes")
    if len(command.external_ref) > limits.TEXT:
        raise InvalidContactError(f"a reference has at most {limits.TEXT} characters")
    if len(command.gateway) > limits.TEXT:
        raise InvalidContactError(f"a gateway's address has at most {limits.TEXT} characters")
    if command.plan is not None:
        check_plan(command.plan)


def check_urgency(priority: int, points: int) -> None:
    """InvalidContactError."""
    if abs(priority) > limits.PRIORITY:
        raise InvalidContactError(f"priority is {-limits.PRIORITY} to {limits.PRIORITY}")
    if abs(points) > limits.CREDITS:
        raise InvalidContactError(f"credits are {-limits.CREDITS} to {limits.CREDITS}")


def check_text(what: str, text: str, limit: int = limits.REASON) -> None:
    """InvalidTextError."""
    if len(text) > limit:
        raise InvalidTextError(f"{what} has at most {limit} characters")


def _check_wrap_up(policy: WrapUpPolicy) -> None:
    if policy.mode is not WrapUpMode.NONE:
        _within("wrap-up max_ms", policy.max_ms, 1, limits.DURATION_MS)
    _within("wrap-up min_ms", policy.min_ms, 0, max(policy.max_ms, 0))
    _within("extensions", policy.extensions, 0, limits.EXTENSIONS)
    _within("extension_ms", policy.extension_ms, 0, limits.DURATION_MS)
    _text("default_code", policy.default_code)


def _check_ring_rules(rules: tuple[RingRule, ...]) -> None:
    _unique("ring rule", (rule.outcome for rule in rules))
    for rule in rules:
        _within("rest_ms", rule.rest_ms, 0, limits.DURATION_MS)
        _within("exclude_ms", rule.exclude_ms, 0, limits.DURATION_MS)


def _within(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidConfigurationError(f"{what} is {least} to {most}, not {value}")


def _name(what: str, text: str) -> None:
    if not text:
        raise InvalidConfigurationError(f"{what} is empty")
    _text(what, text)


def _text(what: str, text: str) -> None:
    if len(text) > limits.TEXT:
        raise InvalidConfigurationError(f"{what} has at most {limits.TEXT} characters")


def _unique(what: str, names: Iterable[Hashable]) -> None:
    listed = list(names)
    if len(set(listed)) != len(listed):
        raise InvalidConfigurationError(f"a {what} stands twice")
