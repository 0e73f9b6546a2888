/** How far a test call has come, read from what the feed tells. */

export const PHASES = ["placed", "waiting", "ringing", "talking", "wrap_up", "over"] as const;
export type Phase = (typeof PHASES)[number];

/** What is said of one contact at an agent: `acd.v1.ReservationRow`. */
export interface Row {
  contact_id: string;
  work: string;
  stage: string;
}

const WORK: Record<string, Phase> = {
  reserved: "ringing",
  ringing: "ringing",
  talking: "talking",
  holding: "talking",
  wrap_up: "wrap_up",
};

/** What is known before anything was told. */
export interface Progress {
  phase: Phase;
  /** True: it was seen waiting or at an agent, so its absence means something. */
  seen: boolean;
  /** True: it left before anybody answered. */
  lost: boolean;
}

export const PLACED: Progress = { phase: "placed", seen: false, lost: false };

/** The next progress; a call that was talked with and is nowhere any more is over. */
export function follow(before: Progress, call: string, rows: Row[], waiting: boolean): Progress {
  if (before.phase === "over" || before.lost) return before;
  const mine = rows.find((row) => row.contact_id === call);
  const phase = mine && WORK[mine.work];
  if (phase) return { phase, seen: true, lost: false };
  if (waiting) return { phase: "waiting", seen: true, lost: false };
  if (before.phase === "talking" || before.phase === "wrap_up") return { ...before, phase: "over" };
  return before;
}

/** It is no longer anywhere, and nobody has talked: told apart from the moment between two places. */
export function giveUp(before: Progress): Progress {
  const early = before.phase === "waiting" || before.phase === "ringing";
  return before.seen && early ? { ...before, lost: true } : before;
}
