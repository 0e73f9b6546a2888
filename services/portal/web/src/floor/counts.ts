/** What many rows come to: agents by state and by queue, callers by queue. */
import type { WaitingRow } from "@/api/boards";
import { ms, type AgentView } from "@/api/types";

/** States in which an agent has a contact in hand. */
const WORKING = new Set(["reserved", "ringing", "talking", "holding", "wrap_up"]);

/** True: a contact is with the agent, or comes. */
export function isWorking(state: string): boolean {
  return WORKING.has(state);
}

/** True: signed in, yet nothing can come. */
export function isAway(state: string): boolean {
  return state === "break" || state === "unreachable";
}

/** How many agents are in each state. */
export function byState(agents: Iterable<AgentView>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of agents) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

export interface Staff {
  ready: number;
  working: number;
  /** On a break, or not reachable: signed in, yet nothing can come. */
  away: number;
}

/** Who serves each queue; somebody who serves two counts in both. */
export function staffByQueue(agents: Iterable<AgentView>): Map<string, Staff> {
  const staff = new Map<string, Staff>();
  for (const agent of agents) {
    if (agent.state === "signed_out") continue;
    const part: keyof Staff =
      agent.state === "ready" ? "ready" : isWorking(agent.state) ? "working" : "away";
    for (const queue of agent.queue_ids) {
      let found = staff.get(queue);
      if (!found) staff.set(queue, (found = { ready: 0, working: 0, away: 0 }));
      found[part] += 1;
    }
  }
  return staff;
}

export interface Line {
  waiting: number;
  /** Since when the one who waits longest waits; 0: nobody. */
  oldestMs: number;
}

/** When somebody's waiting began, earlier stays included. */
export function waitsSince(row: WaitingRow): number {
  return ms(row.contact.waiting_since_ms) || ms(row.contact.enqueued_at_ms);
}

/** Who waits in each queue. */
export function lineByQueue(rows: Iterable<WaitingRow>): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const since = waitsSince(row);
    const line = lines.get(row.contact.queue_id);
    if (!line) lines.set(row.contact.queue_id, { waiting: 1, oldestMs: since });
    else {
      line.waiting += 1;
      line.oldestMs = Math.min(line.oldestMs, since);
    }
  }
  return lines;
}

/** The one who waits longest; null: nobody waits. */
export function longest(rows: Iterable<WaitingRow>): WaitingRow | null {
  let found: WaitingRow | null = null;
  for (const row of rows) if (!found || waitsSince(row) < waitsSince(found)) found = row;
  return found;
}

/** Who calls, as the flow knows it. */
export function callerOf(contact: { attributes: { name: string; value: string }[] } | undefined): {
  name: string;
  number: string;
} {
  const of = (key: string) => contact?.attributes.find((each) => each.name === key)?.value ?? "";
  return { name: of("customer_name"), number: of("caller") };
}
