/** Whether a figure is as it should be. The usual targets of a call centre: 80 % within 20 s. */
import type { Figure, LiveRow } from "@/api/types";

export type Tone = "plain" | "good" | "warn" | "bad";

/** Where a figure is good, and where it begins to be bad; between them it is a warning. */
export const TARGETS = {
  service_level: { good: 80, bad: 70 },
  asa: { good: 20_000, bad: 40_000 },
  abandon_rate: { good: 5, bad: 8 },
  longest_wait: { good: 20_000, bad: 60_000 },
} as const;

export type Measured = keyof typeof TARGETS;

/** The tone of a value; without one there is nothing to judge. */
export function tone(of: Measured, value: number | undefined): Tone {
  if (value === undefined) return "plain";
  const { good, bad } = TARGETS[of];
  // Where good is more than bad, more is better.
  const [well, ill] = good > bad ? [value >= good, value < bad] : [value <= good, value > bad];
  return well ? "good" : ill ? "bad" : "warn";
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
