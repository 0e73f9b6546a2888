/** Sums over everybody and over the line, made once for each change however many places show them. */
import { useSyncExternalStore } from "react";
import { agents, waiting, type WaitingRow } from "@/api/boards";
import type { Store } from "@/api/store";
import {
  byState,
  isAway,
  isWorking,
  lineByQueue,
  longest,
  staffByQueue,
  type Line,
  type Staff,
} from "./counts";

type Source<Value> = Pick<Store<Value>, "get" | "subscribe">;

/** What is made of a store's value, made anew only when that value is another one. */
export function derived<From, Made>(from: Source<From>, make: (value: From) => Made): Source<Made> {
  let seen = from.get();
  let made = make(seen);
  return {
    subscribe: from.subscribe,
    get() {
      const value = from.get();
      if (!Object.is(value, seen)) {
        seen = value;
        made = make(value);
      }
      return made;
    },
  };
}

interface Staffing {
  states: ReadonlyMap<string, number>;
  queues: ReadonlyMap<string, Staff>;
  working: number;
  away: number;
}

interface Lines {
  total: number;
  queues: ReadonlyMap<string, Line>;
  oldest: WaitingRow | null;
}

const staffing = derived(agents, (all): Staffing | null => {
  if (!all) return null;
  const states = byState(all.values());
  let working = 0;
  let away = 0;
  for (const [state, found] of states) {
    if (isWorking(state)) working += found;
    if (isAway(state)) away += found;
  }
  return { states, working, away, queues: staffByQueue(all.values()) };
});

const lines = derived(waiting, (line): Lines | null =>
  line
    ? {
        total: line.total,
        queues: lineByQueue(line.rows.values()),
        oldest: longest(line.rows.values()),
      }
    : null,
);

/** A part of who works; drawn again only when that part changes. null: not told yet. */
export function useStaffing<Part>(part: (staffing: Staffing | null) => Part): Part {
  return useSyncExternalStore(staffing.subscribe, () => part(staffing.get()));
}

/** A part of who waits, in the same way. */
export function useLines<Part>(part: (lines: Lines | null) => Part): Part {
  return useSyncExternalStore(lines.subscribe, () => part(lines.get()));
}
