/** What the feed tells, kept: the agent's desk, everybody, the figures, who waits, alarms. */
import { useEffect } from "react";
import { follow, onSaid, type Said, type Topic } from "./feed";
import { store } from "./store";
import type { AgentView, DeskView, Live, Schema } from "./types";

/** Somebody who waits: `acd.v1.WaitingRow`, which only the feed tells. */
export interface WaitingRow {
  entry_id: string;
  contact: Schema<"acd.v1.Contact">;
  /** waiting, detached, reserved, ringing or connecting. */
  stage: string;
  priority: string;
  /** Who is held for it; empty: nobody. */
  agent_id: string;
}

/** Whether a queue lets arrivals in: `acd.v1.QueueDoor`, which only the feed tells. */
export interface QueueDoor {
  queue_id: string;
  open: boolean;
  emergency: boolean;
  removed: boolean;
}

interface WaitingChange {
  all: boolean;
  queues?: QueueDoor[];
  rows: WaitingRow[];
  gone_entry_ids: string[];
  waiting: number;
}

interface AlarmChange {
  all: boolean;
  alarms: Alarm[];
}

export type Alarm = Schema<"analytics.v1.Alarm">;

/** Who waits, by stay, and how many in all. */
export interface Waiting {
  rows: ReadonlyMap<string, WaitingRow>;
  total: number;
}

/** The agent's own desk; null: not told yet, or they have none. */
export const desk = store<DeskView | null>(null);
/** True: the server knows no desk of this person, or can not tell it at the moment. */
export const noDesk = store(false);
/** Everybody, by id; null: not told yet. A new map with every change, at most one per frame. */
export const agents = store<ReadonlyMap<string, AgentView> | null>(null);
export const live = store<Live | null>(null);
export const waiting = store<Waiting | null>(null);
/** Which queues let arrivals in, by id. */
export const doors = store<ReadonlyMap<string, QueueDoor> | null>(null);
/** Alarms that stand or nobody has acknowledged, by id. */
export const alarms = store<ReadonlyMap<string, Alarm> | null>(null);

/** A view of the desk that a command answered with; an older one than the feed's is dropped. */
export function deskIs(view: DeskView): void {
  const known = desk.get();
  if (!known || Number(view.number) >= Number(known.number)) desk.set(view);
}

/** Forgets everything: somebody else signs in. */
export function clearBoards(): void {
  for (const each of [desk, agents, live, waiting, doors, alarms]) each.set(null);
}

/** Follows topics while the component is there. */
export function useTopics(...topics: Topic[]): void {
  const names = topics.join(" ");
  useEffect(() => {
    const stops = (names.split(" ") as Topic[]).map(follow);
    return () => stops.forEach((stop) => stop());
  }, [names]);
}

let nextAgents: Map<string, AgentView> | null = null;
let nextWaiting: Waiting | null = null;
let due = false;

/** Many changes in one frame are drawn once. */
function soon(): void {
  if (due) return;
  due = true;
  // A page in the background draws no frames, but must not fall behind without end either.
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}

function flush(): void {
  due = false;
  if (nextAgents) agents.set(nextAgents);
  if (nextWaiting) waiting.set(nextWaiting);
  nextAgents = nextWaiting = null;
}

function agentsChanged(changed: AgentView[], whole: boolean): void {
  nextAgents ??= new Map(whole ? [] : (agents.get() ?? []));
  if (whole) nextAgents = new Map();
  for (const agent of changed) {
    if (agent.removed) nextAgents.delete(agent.agent_id);
    else nextAgents.set(agent.agent_id, agent);
  }
  soon();
}

function waitingChanged(change: WaitingChange): void {
  const before = nextWaiting ?? waiting.get();
  const rows = new Map(change.all ? [] : (before?.rows ?? []));
  for (const row of change.rows ?? []) rows.set(row.entry_id, row);
  for (const gone of change.gone_entry_ids ?? []) rows.delete(gone);
  nextWaiting = { rows, total: Number(change.waiting) };
  if (change.all || change.queues?.length) doorsChanged(change.queues ?? [], change.all);
  soon();
}

function doorsChanged(changed: QueueDoor[], whole: boolean): void {
  const next = new Map(whole ? [] : (doors.get() ?? []));
  for (const door of changed) {
    if (door.removed) next.delete(door.queue_id);
    else next.set(door.queue_id, door);
  }
  doors.set(next);
}

function alarmsChanged(change: AlarmChange): void {
  const next = new Map(change.all ? [] : (alarms.get() ?? []));
  for (const alarm of change.alarms ?? []) {
    const over = alarm.state === "cleared" && Number(alarm.acknowledged_at_ms) > 0;
    if (over) next.delete(alarm.alarm_id);
    else next.set(alarm.alarm_id, alarm);
  }
  alarms.set(next);
}

onSaid((said: Said) => {
  if (said.type === "snapshot") noDesk.set(!("desk" in said));
  if ("desk" in said) {
    noDesk.set(false);
    desk.set(said.desk as DeskView);
  }
  if ("agents" in said) agentsChanged(said.agents as AgentView[], true);
  if ("agents_changed" in said) agentsChanged(said.agents_changed as AgentView[], false);
  if ("live" in said) live.set(said.live as Live);
  if ("waiting" in said) waitingChanged(said.waiting as WaitingChange);
  if ("alarms" in said) alarmsChanged(said.alarms as AlarmChange);
});
