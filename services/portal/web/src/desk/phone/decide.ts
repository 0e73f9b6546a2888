/**
 * What the phone must do next: a plain decision over what the desk shows and what the line is like.
 *
 * The shell (`phone.ts`) tells what happened, does what is decided, and asks again when `wakeAt`
 * says so. Nothing here touches a connection or a clock.
 */

/** A contact as far as the phone cares. */
export interface Work {
  id: string;
  /** Of the reservation: reserved, ringing, connecting, bridged or ended. */
  stage: string;
  /** Of the agent: idle, reserved, ringing, talking, holding or wrap_up. */
  work: string;
  channel: string;
}

/** What is seen from outside. */
export interface Seen {
  /** True: this page is the agent's softphone. */
  softphone: boolean;
  works: readonly Work[];
}

/** The one audio connection, and what was done so far. */
export interface State {
  /** Whose contact it carries; empty: there is none. */
  id: string;
  line: "none" | "opening" | "on" | "lost";
  /** Attempts that failed since it was last on. */
  failures: number;
  /** When it is tried again; 0: now. */
  retryAtMs: number;
  /** Contacts whose ringing was told. */
  told: readonly string[];
}

export type Act =
  | { act: "tell"; id: string }
  | { act: "open"; id: string }
  | { act: "close"; id: string }
  | { act: "ring"; id: string };

export const NOTHING: State = { id: "", line: "none", failures: 0, retryAtMs: 0, told: [] };

/** Waits between attempts: a reload must be heard again at once, a dead network is left alone. */
const RETRY_MS = [300, 1_000, 2_000, 4_000] as const;
/** Stages in which there is audio to connect, the most urgent first. */
const AUDIBLE = ["bridged", "connecting", "ringing", "reserved"];
const RINGING = ["reserved", "ringing"];

/** True: the contact rings and waits for a decision. */
export function rings(work: Work): boolean {
  return RINGING.includes(work.stage) && work.work !== "wrap_up";
}

/** True: the agent and the caller are, or are about to be, connected. */
export function talks(work: Work): boolean {
  return ["connecting", "bridged"].includes(work.stage) && work.work !== "wrap_up";
}

function audible(work: Work): boolean {
  return work.channel === "voice" && (rings(work) || talks(work));
}

/** The contact whose audio this page should carry; none: undefined. */
export function wanted(seen: Seen): Work | undefined {
  if (!seen.softphone) return undefined;
  const urgency = (work: Work) => AUDIBLE.indexOf(work.stage);
  return seen.works.filter(audible).toSorted((one, two) => urgency(one) - urgency(two))[0];
}

/** What is to be done now, and the state once that has begun. */
export function decide(state: State, seen: Seen, nowMs: number): { state: State; acts: Act[] } {
  const acts: Act[] = [];
  const ids = seen.works.map((work) => work.id);
  let next: State = { ...state, told: state.told.filter((id) => ids.includes(id)) };
  if (seen.softphone)
    for (const work of seen.works.filter(rings)) {
      acts.push({ act: "ring", id: work.id });
      if (next.told.includes(work.id)) continue;
      acts.push({ act: "tell", id: work.id });
      next = { ...next, told: [...next.told, work.id] };
    }
  const target = wanted(seen);
  if (next.id && next.id !== target?.id) {
    acts.push({ act: "close", id: next.id });
    next = { ...NOTHING, told: next.told };
  }
  const idle = next.line === "none" || (next.line === "lost" && nowMs >= next.retryAtMs);
  if (target && idle) {
    acts.push({ act: "open", id: target.id });
    next = { ...next, id: target.id, line: "opening" };
  }
  return { state: next, acts };
}

/** When `decide` is worth asking again although nothing happened; null: not by itself. */
export function wakeAt(state: State): number | null {
  return state.line === "lost" ? state.retryAtMs : null;
}

/** Audio flows. */
export function lineOn(state: State, id: string): State {
  return id === state.id ? { ...state, line: "on", failures: 0, retryAtMs: 0 } : state;
}

/** It does not, or no longer. */
export function lineLost(state: State, id: string, nowMs: number): State {
  if (id !== state.id || state.line === "lost") return state;
  const wait = RETRY_MS[Math.min(state.failures, RETRY_MS.length - 1)] ?? 0;
  return { ...state, line: "lost", failures: state.failures + 1, retryAtMs: nowMs + wait };
}

/** Tells the ringing again: the first telling did not arrive. */
export function notTold(state: State, id: string): State {
  return { ...state, told: state.told.filter((each) => each !== id) };
}
