/** Whether a figure is as it should be. */
import type { Figure, LiveRow } from "@/api/types";

export type Tone = "plain" | "good" | "warn" | "bad";

/** The platform's service level that counts as good, where neither queue nor tenant says another. */
export const GOOD_LEVEL = 80;
/** So much below what counts as good is not bad yet. */
const LEVEL_MARGIN = 10;

/** Where a figure is good, and where it begins to be bad; between them it is a warning. */
const TARGETS = {
  asa: { good: 20_000, bad: 40_000 },
  abandon_rate: { good: 5, bad: 8 },
  longest_wait: { good: 20_000, bad: 60_000 },
} as const;

type Measured = keyof typeof TARGETS;

/** The tone of a value of which less is better; without one there is nothing to judge. */
export function tone(of: Measured, value: number | undefined): Tone {
  if (value === undefined) return "plain";
  const { good, bad } = TARGETS[of];
  return value <= good ? "good" : value > bad ? "bad" : "warn";
}

/** The tone of a service level, of which more is better; `good` is the queue's target. */
export function levelTone(value: number | undefined, good: number): Tone {
  if (value === undefined) return "plain";
  return value >= good ? "good" : value < good - LEVEL_MARGIN ? "bad" : "warn";
}

/** Nobody is pleased about a short wait, so a longest wait is never green. */
export function waitTone(waitedMs: number): Tone {
  const found = tone("longest_wait", waitedMs);
  return found === "good" ? "plain" : found;
}

/** A figure of a row by its name. */
export function figureOf(
  row: LiveRow | undefined,
  when: "now" | "today",
  kpi: string,
): Figure | undefined {
  return row?.[when].find((each) => each.kpi === kpi);
}
