"""Whatever happens in whatever order, the laws hold."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from services.acd import model
from services.acd.core.checker import check
from services.acd.core.shard import ShardCore
from services.acd.model import (
    AgentCondition,
    AgentConfig,
    AgentId,
    Capacity,
    Channel,
    EmptyRule,
    EntryId,
    ExprKind,
    Outcome,
    Plan,
    PlanEnd,
    PlanStep,
    QueueConfig,
    QueueId,
    QueueMembership,
    RingRule,
    Scoring,
    SkillExpr,
    SkillLevel,
    SkipIf,
    WrapUpMode,
    WrapUpPolicy,
)
from tests.unit.acd.desk import Desk

QUEUES = [QueueId("q0"), QueueId("q1")]
AGENTS = [AgentId(f"a{i}") for i in range(4)]
SKILLS = ["de", "en"]

few_ms = st.sampled_from([0, 1, 500, 2_000, 3_000, 10_000, 60_000])
skill = st.builds(
    SkillExpr,
    kind=st.just(ExprKind.SKILL),
    name=st.sampled_from(SKILLS),
    comparison=st.sampled_from(list(model.Comparison)),
    level=st.integers(1, 4),
)
leaf = skill | st.just(SkillExpr(kind=ExprKind.ANY))
leaf |= st.builds(SkillExpr, kind=st.just(ExprKind.AGENT), value=st.sampled_from(AGENTS))
pairs = st.tuples(leaf, leaf)
expr = leaf | st.builds(SkillExpr, kind=st.sampled_from([ExprKind.AND, ExprKind.OR]), of=pairs)
expr |= st.builds(SkillExpr, kind=st.just(ExprKind.NOT), of=st.tuples(leaf))
step = st.builds(
    PlanStep,
    expr=expr,
    for_s=st.sampled_from([1, 10]),
    skip_if=st.sampled_from(list(SkipIf)),
    replaces=st.booleans(),
)
plan = st.lists(step, max_size=3).flatmap(
    lambda steps: st.sampled_from(
        [
            Plan(tuple(steps), PlanEnd.ANY),
            Plan(tuple(steps), PlanEnd.STAY if steps else PlanEnd.ANY),
            Plan(tuple(steps), PlanEnd.OVERFLOW, QUEUES[1]) if steps else Plan(),
        ]
    )
)
strategies = st.lists(
    st.sampled_from([s.value for s in model.Strategy if s is not model.Strategy.RANDOM]),
    unique=True,
    max_size=3,
).flatmap(lambda some: st.sampled_from([(*some, "random"), tuple(some) or ("longest_idle",)]))
empty_rule = st.none() | st.builds(
    EmptyRule, absent=st.lists(st.sampled_from(list(AgentCondition)), unique=True).map(tuple)
)
wrap_up = st.builds(
    WrapUpPolicy,
    mode=st.sampled_from(list(WrapUpMode)),
    min_ms=st.sampled_from([0, 1_000]),
    max_ms=st.sampled_from([1_000, 5_000]),
    extensions=st.integers(0, 1),
    extension_ms=st.just(2_000),
    code_required=st.booleans(),
    code_ends=st.booleans(),
)
ring_rules = st.lists(
    st.builds(
        RingRule,
        outcome=st.sampled_from(list(Outcome)),
        rest_ms=few_ms,
        exclude_ms=few_ms,
        strike=st.booleans(),
    ),
    unique_by=lambda ring: ring.outcome,
    max_size=3,
).map(tuple)
queue_configs = st.builds(
    QueueConfig,
    queue_id=st.sampled_from(QUEUES),
    open=st.sampled_from([True, True, True, False]),
    max_waiting=st.sampled_from([2, 100]),
    max_wait_ms=st.none() | st.just(30_000),
    ring_timeout_ms=st.sampled_from([2_000, 20_000]),
    strategies=strategies,
    scoring=st.builds(
        Scoring,
        priority_weight=st.sampled_from([0, 1_000]),
        accel=st.integers(0, 2),
        wait_cap_ms=st.sampled_from([1, 5_000, 10**7]),
        return_credit=st.sampled_from([0, 100]),
    ),
    plan=plan,
    join_when_empty=empty_rule,
    leave_when_empty=empty_rule,
    wrap_up=st.none() | wrap_up,
    ring_rules=ring_rules,
    assumed_handle_s=st.none() | st.just(100),
    min_sample=st.just(2),
)
agent_configs = st.builds(
    AgentConfig,
    agent_id=st.sampled_from(AGENTS),
    skills=st.lists(
        st.builds(SkillLevel, name=st.sampled_from(SKILLS), level=st.integers(1, 4)),
        unique_by=lambda level: level.name,
    ).map(tuple),
    queues=st.lists(
        st.builds(
            QueueMembership,
            queue_id=st.sampled_from(QUEUES),
            weight=st.sampled_from([1, 100]),
            position=st.integers(0, 2),
        ),
        unique_by=lambda membership: membership.queue_id,
    ).map(tuple),
    capacities=st.just((Capacity(Channel.VOICE, 1), Capacity(Channel.CHAT, 2))),
)


def deadlines(snapshot: model.Snapshot) -> dict[tuple[str, ...], int]:
    """Every instant at which time alone would do something, by what it belongs to."""
    found: dict[tuple[str, ...], int | None] = {}
    for row in snapshot.reservations:
        found["lease", row.reservation_id] = row.deadline_ms
    for entry in snapshot.entries:
        entry_id = entry.contact.entry_id
        found["step", entry_id] = entry.step_until_ms
        found["timeout", entry_id] = entry.timeout_at_ms
        found["detached", entry_id] = entry.detached_until_ms
        for pair in entry.exclusions:
            found["spared", entry_id, pair.agent_id] = pair.until_ms
    for agent in snapshot.agents:
        found["rest", agent.config.agent_id] = agent.resting_until_ms
    return {key: at_ms for key, at_ms in found.items() if at_ms is not None}


class Shard(RuleBasedStateMachine):
    """A tenant's day at random, commands in and out of season."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.entries = 0
        self.reserved: list[model.ReservationId] = []
        self.priorities: list[int] = []
        for queue_id in QUEUES:
            self.desk.queue(queue_id)
        for agent_id in AGENTS:
            queues = tuple(QueueMembership(queue_id) for queue_id in QUEUES)
            self.desk.agent(agent_id, queues=queues, skills="de:2 en:3")

    def attempt(self, command: model.Command) -> None:
        try:
            events = self.desk.do(command)
        except model.RoutingError:
            return
        self._note(events)

    def _note(self, events: list[model.Event]) -> None:
        self.reserved += [e.reservation_id for e in events if isinstance(e, model.ContactReserved)]

    def some_reservation(self, data: st.DataObject) -> model.ReservationRow:
        rows = self.desk.core.snapshot().reservations
        return data.draw(st.sampled_from(rows))

    def has_work(self) -> bool:
        return bool(self.desk.core.snapshot().reservations)

    @rule(config=queue_configs)
    def put_queue(self, config: QueueConfig) -> None:
        self.attempt(model.PutQueue(config))

    @rule(queue_id=st.sampled_from(QUEUES))
    def remove_queue(self, queue_id: QueueId) -> None:
        self.attempt(model.RemoveQueue(queue_id))

    @rule(config=agent_configs)
    def put_agent(self, config: AgentConfig) -> None:
        self.attempt(model.PutAgent(config))

    @rule(agent_id=st.sampled_from(AGENTS))
    def remove_agent(self, agent_id: AgentId) -> None:
        self.attempt(model.RemoveAgent(agent_id))

    @rule(
        agent_ids=st.lists(st.sampled_from(AGENTS), max_size=3),
        leaves=st.lists(st.sampled_from(QUEUES), max_size=2),
        joins=st.lists(st.builds(QueueMembership, st.sampled_from(QUEUES)), max_size=2),
    )
    def move_agents_and_back(
        self, agent_ids: list[AgentId], leaves: list[QueueId], joins: list[QueueMembership]
    ) -> None:
        core = self.desk.core
        before = {row.config.agent_id: row.config for row in core.snapshot().agents}
        self.attempt(model.MoveAgents(tuple(agent_ids), tuple(leaves), tuple(joins)))
        if before and set(leaves) <= core.queue_ids():
            undo = tuple(model.Memberships(each, before[each].queues) for each in before)
            self.attempt(model.SetMemberships(undo))
            assert {row.config.agent_id: row.config for row in core.snapshot().agents} == before

    @rule(agent_ids=st.lists(st.sampled_from(AGENTS), max_size=3), level=st.integers(0, 4))
    def set_skills(self, agent_ids: list[AgentId], level: int) -> None:
        skills = (SkillLevel("de", level),) if level else ()
        self.attempt(model.SetSkills(tuple(model.Skills(each, skills) for each in agent_ids)))

    @rule(resets=st.booleans(), limit=st.integers(1, 2), policy=wrap_up)
    def set_defaults(self, *, resets: bool, limit: int, policy: WrapUpPolicy) -> None:
        defaults = model.TenantDefaults(
            wrap_up=policy,
            rona=model.RonaRule(limit=limit, window_ms=60_000),
            break_resets_idle=resets,
            blocks=() if resets else model.TenantDefaults().blocks,
        )
        self.attempt(model.SetTenantDefaults(defaults))

    @rule(queue_id=st.sampled_from(QUEUES), active=st.booleans(), release=st.booleans())
    def emergency(self, queue_id: QueueId, *, active: bool, release: bool) -> None:
        self.attempt(model.SetEmergency(queue_id, active, "fire", release))

    @rule(
        agent_id=st.sampled_from(AGENTS),
        presence=st.sampled_from([*model.Presence, model.Presence.READY]),
    )
    def set_presence(self, agent_id: AgentId, presence: model.Presence) -> None:
        self.attempt(model.SetPresence(agent_id, presence, "lunch"))

    @rule(
        agent_id=st.sampled_from(AGENTS),
        link=st.sampled_from([*model.Link, model.Link.REACHABLE]),
    )
    def report_link(self, agent_id: AgentId, link: model.Link) -> None:
        self.attempt(model.ReportLink(agent_id, link))

    @rule(agent_id=st.sampled_from(AGENTS), begins=st.booleans())
    def outside_leg(self, agent_id: AgentId, *, begins: bool) -> None:
        leg_id = model.LegId("leg")
        command = model.StartAgentLeg if begins else model.EndAgentLeg
        self.attempt(command(agent_id, leg_id))

    @rule(
        queue_id=st.sampled_from(QUEUES),
        channel=st.sampled_from([Channel.VOICE, Channel.CHAT]),
        priority=st.integers(-2, 2),
        points=st.sampled_from([-5, 0, 1_000]),
        own_plan=st.none() | plan,
        earlier_ms=few_ms,
        seed=st.integers(0, 3),
        count=st.integers(1, 3),
    )
    def enqueue(self, *, count: int, own_plan: Plan | None, **more: Any) -> None:
        for _ in range(count):
            self.entries += 1
            command = model.EnqueueContact(
                entry_id=EntryId(f"e{self.entries:04}"),
                contact_id=model.ContactId(f"c{self.entries}"),
                queue_id=more["queue_id"],
                channel=more["channel"],
                priority=more["priority"],
                credits=more["points"],
                waiting_since_ms=self.desk.now_ms - more["earlier_ms"],
                plan=own_plan,
                seed=more["seed"],
            )
            self.attempt(command)
            self.attempt(command)  # asked again, nothing changes

    def some_entry(self, data: st.DataObject) -> EntryId:
        number = data.draw(st.integers(max(0, self.entries - 6), self.entries))
        return EntryId(f"e{number:04}")

    @rule(data=st.data(), attach=st.booleans())
    def flow_lost_or_back(self, data: st.DataObject, *, attach: bool) -> None:
        command = model.AttachEntry if attach else model.DetachEntry
        self.attempt(command(self.some_entry(data)))

    @rule(data=st.data(), way=st.sampled_from(list(model.Exit)))
    def leave(self, data: st.DataObject, way: model.Exit) -> None:
        target = QUEUES[1] if way is model.Exit.OVERFLOWED else None
        self.attempt(model.LeaveQueue(self.some_entry(data), way, target))

    @rule(data=st.data(), priority=st.integers(-3, 3))
    def change_priority(self, data: st.DataObject, priority: int) -> None:
        self.attempt(model.ChangePriority(self.some_entry(data), priority))

    @rule(data=st.data())
    def announce(self, data: st.DataObject) -> None:
        self.attempt(model.AnnounceWait(self.some_entry(data)))

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        core, now_ms = self.desk.core, self.desk.now_ms
        for row in core.snapshot().entries:
            assert core.entry(row.contact.entry_id, now_ms).exit is None
            assert check(core.snapshot(), core.explain(row.contact.entry_id, now_ms)) == ()
        for agent_id in list(core.agent_ids()):
            view = core.agent(agent_id, now_ms)
            assert view.routable == (not view.why)
        for queue_id in list(core.queue_ids()):
            queue = core.queue(queue_id, now_ms)
            inside = [e for e in core.snapshot().entries if e.contact.queue_id == queue_id]
            assert queue.waiting + queue.reserved == len(inside)
        assert core.oldest_matchable_ms(now_ms) is None

    @precondition(has_work)
    @rule(data=st.data())
    def ring(self, data: st.DataObject) -> None:
        row = self.some_reservation(data)
        self.attempt(model.ConfirmRing(row.reservation_id, row.agent_id))

    @precondition(has_work)
    @rule(data=st.data(), bridged=st.sampled_from([True, True, False]))
    def accept(self, data: st.DataObject, *, bridged: bool) -> None:
        row = self.some_reservation(data)
        self.attempt(model.AcceptReservation(row.reservation_id, row.agent_id))
        if bridged:
            self.attempt(model.ConfirmBridged(row.reservation_id))

    @precondition(has_work)
    @rule(data=st.data(), outcome=st.sampled_from(list(Outcome)))
    def end_reservation(self, data: st.DataObject, outcome: Outcome) -> None:
        row = self.some_reservation(data)
        answered = row.stage is model.Stage.BRIDGED
        here = {e.contact.entry_id for e in self.desk.core.snapshot().entries}
        self.attempt(model.EndReservation(row.reservation_id, outcome))
        if not answered and outcome is not Outcome.CALLER_GONE:
            # nothing on the agent's leg ends the caller's
            stays = {e.contact.entry_id for e in self.desk.core.snapshot().entries}
            gone = {e.entry_id for e in self.desk.core.snapshot().exits}
            assert row.entry_id in here & stays or row.entry_id in gone

    @precondition(has_work)
    @rule(data=st.data(), act=st.integers(0, 5))
    def talk(self, data: st.DataObject, act: int) -> None:
        row = self.some_reservation(data)
        commands: list[model.Command] = [
            model.SetHold(row.reservation_id, holding=True),
            model.SetHold(row.reservation_id, holding=False),
            model.CompleteContact(row.reservation_id, model.BridgeEnder.CALLER),
            model.FinishWrapUp(row.reservation_id, data.draw(st.sampled_from(["", "sold"]))),
            model.SetWrapUpCode(row.reservation_id, "sold"),
            model.ExtendWrapUp(row.reservation_id),
        ]
        self.attempt(commands[act])

    @rule(wait_ms=few_ms)
    def time_passes(self, wait_ms: int) -> None:
        self._note(self.desk.wait(wait_ms))

    @rule(wait_ms=few_ms)
    def time_passes_without_a_tick(self, wait_ms: int) -> None:
        self.desk.now_ms += wait_ms

    @rule(gap_ms=st.sampled_from([250, 10_000, 10**9]))
    def time_does_not_count(self, gap_ms: int) -> None:
        before = deadlines(self.desk.core.snapshot())
        struck = [row.strikes_at_ms for row in self.desk.core.snapshot().agents]
        self.desk.now_ms += gap_ms
        events = self.desk.do(model.ResumeClock(gap_ms))
        assert [type(event) for event in events] == ([model.ClockStopped] if before else [])
        assert deadlines(self.desk.core.snapshot()) == {
            key: at_ms + gap_ms for key, at_ms in before.items()
        }
        assert [row.strikes_at_ms for row in self.desk.core.snapshot().agents] == struck

    @rule()
    def decide_and_forget(self) -> None:
        before = self.desk.core.snapshot()
        self.desk.core.tick(self.desk.now_ms + 100_000)
        assert self.desk.core.snapshot() == before

    @rule()
    def move_to_another_owner(self) -> None:
        snapshot = self.desk.core.snapshot()
        successor = ShardCore()
        successor.restore(snapshot)
        assert successor.snapshot() == snapshot
        assert successor.deadline_ms() == self.desk.core.deadline_ms()
        later_ms = self.desk.now_ms + 3_000
        assert successor.tick(later_ms) == self.desk.core.tick(later_ms)
        self.desk.core = successor

    def teardown(self) -> None:
        self.desk.wait(200_000)
        assert len(set(self.reserved)) == len(self.reserved)


Shard.TestCase.settings = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestShard = Shard.TestCase
