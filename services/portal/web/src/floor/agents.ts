/** Which agents the board shows. */
import type { AgentView } from "@/api/types";
import { alertOf } from "./attention";
import { isAway, isWorking } from "./counts";

export interface BoardFilter {
  /** Part of a name; empty: all. */
  words: string;
  /** Empty: all. */
  queue: string;
  /** A state, `working`, `away`, `attention`, or empty for all. */
  state: string;
}

export const EVERYBODY: BoardFilter = { words: "", queue: "", state: "" };

/** True: the board shows this agent. */
export function isShown(agent: AgentView, filter: BoardFilter, now: number): boolean {
  if (filter.queue && !agent.queue_ids.includes(filter.queue)) return false;
  if (filter.words && !agent.name.toLowerCase().includes(filter.words.trim().toLowerCase()))
    return false;
  if (!filter.state) return true;
  if (filter.state === "attention") return alertOf(agent, now) !== null;
  if (filter.state === "working") return isWorking(agent.state);
  if (filter.state === "away") return isAway(agent.state);
  return agent.state === filter.state;
}

/** True: both lists hold the same in the same order. */
export function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, place) => each === b[place]);
}

/** Rows stay where they are so long after somebody last did something with the list. */
export const HELD_MS = 15_000;

/** The contact that an agent has in hand: one talked to before one that rings. */
export function inHand(agent: AgentView): AgentView["work"][number] | null {
  const order = ["talking", "holding", "ringing", "reserved", "wrap_up"];
  return (
    [...agent.work].sort((a, b) => order.indexOf(a.work) - order.indexOf(b.work)).at(0) ?? null
  );
}
