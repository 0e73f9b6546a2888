/** Thresholds as people write them: times in seconds, and what does not go together. */
import type { Schema } from "@/api/types";

export type Threshold = Schema<"analytics.v1.Threshold">;

export const MEASURES = [
  "waiting",
  "longest_wait",
  "service_level",
  "asa",
  "abandon_rate",
  "average_handle_time",
  "occupancy",
  "agents_ready",
] as const;
export type Measure = (typeof MEASURES)[number];

export type Unit = "count" | "seconds" | "percent";

const UNITS: Record<Measure, Unit> = {
  waiting: "count",
  longest_wait: "seconds",
  service_level: "percent",
  asa: "seconds",
  abandon_rate: "percent",
  average_handle_time: "seconds",
  occupancy: "percent",
  agents_ready: "count",
};

/** Of these, little is bad. */
const BELOW: ReadonlySet<Measure> = new Set<Measure>(["service_level", "agents_ready"]);

/** What a new threshold of each measure begins with. */
const USUAL: Record<Measure, [raise: number, clear: number]> = {
  waiting: [10, 5],
  longest_wait: [120, 60],
  service_level: [70, 80],
  asa: [40, 20],
  abandon_rate: [8, 5],
  average_handle_time: [600, 480],
  occupancy: [90, 85],
  agents_ready: [1, 2],
};

export const LONGEST_NAME = 100;
export const LONGEST_FOR_S = 3600;

/** A threshold in a form: what is typed, in the units that are shown. */
export interface Draft {
  /** Empty: a new one. */
  id: string;
  name: string;
  measure: Measure;
  queueId: string;
  direction: "above" | "below";
  raiseAt: number | string;
  clearAt: number | string;
  forS: number | string;
  severity: "warning" | "critical";
  active: boolean;
}

export function unitOf(measure: string): Unit {
  return UNITS[measure as Measure] ?? "count";
}

/** A value of the API in the unit that is shown. */
export function shown(measure: string, value: number): number {
  return unitOf(measure) === "seconds" ? value / 1000 : value;
}

function told(measure: Measure, value: number): number {
  return unitOf(measure) === "seconds" ? value * 1000 : value;
}

export function newDraft(): Draft {
  return withMeasure(
    {
      id: "",
      name: "",
      measure: "waiting",
      queueId: "",
      direction: "above",
      raiseAt: 0,
      clearAt: 0,
      forS: 30,
      severity: "warning",
      active: true,
    },
    "waiting",
  );
}

/** The same about another measure, with values that are usual for it. */
export function withMeasure(draft: Draft, measure: Measure): Draft {
  const [raiseAt, clearAt] = USUAL[measure];
  return {
    ...draft,
    measure,
    direction: BELOW.has(measure) ? "below" : "above",
    raiseAt,
    clearAt,
  };
}

export function draftOf(threshold: Threshold): Draft {
  const measure = MEASURES.find((each) => each === threshold.measure) ?? "waiting";
  return {
    id: threshold.threshold_id,
    name: threshold.name,
    measure,
    queueId: threshold.queue_id,
    direction: threshold.direction === "below" ? "below" : "above",
    raiseAt: shown(measure, threshold.raise_at),
    clearAt: shown(measure, threshold.clear_at),
    forS: threshold.for_s,
    severity: threshold.severity === "critical" ? "critical" : "warning",
    active: threshold.active,
  };
}

/** What the server takes; only of a draft without faults. */
export function thresholdOf(draft: Draft, id: string): Threshold {
  return {
    threshold_id: id,
    name: draft.name.trim(),
    measure: draft.measure,
    queue_id: draft.queueId,
    direction: draft.direction,
    raise_at: told(draft.measure, Number(draft.raiseAt)),
    clear_at: told(draft.measure, Number(draft.clearAt)),
    for_s: Number(draft.forS),
    severity: draft.severity,
    active: draft.active,
  };
}

export type Fault = "missing" | "long" | "number" | "percent" | "lower" | "higher" | "forS";
export type Faults = Partial<Record<"name" | "raiseAt" | "clearAt" | "forS", Fault>>;

/** What is wrong, field by field. */
export function faultsOf(draft: Draft): Faults {
  const faults: Faults = {};
  const name = draft.name.trim();
  if (!name) faults.name = "missing";
  else if (name.length > LONGEST_NAME) faults.name = "long";
  for (const field of ["raiseAt", "clearAt"] as const) {
    const value = Number(draft[field]);
    if (draft[field] === "" || !Number.isFinite(value) || value < 0) faults[field] = "number";
    else if (unitOf(draft.measure) === "percent" && value > 100) faults[field] = "percent";
  }
  const [raise, clear] = [Number(draft.raiseAt), Number(draft.clearAt)];
  if (!faults.raiseAt && !faults.clearAt) {
    if (draft.direction === "above" && clear > raise) faults.clearAt = "lower";
    if (draft.direction === "below" && clear < raise) faults.clearAt = "higher";
  }
  const forS = Number(draft.forS);
  if (draft.forS === "" || !Number.isInteger(forS) || forS < 0 || forS > LONGEST_FOR_S)
    faults.forS = "forS";
  return faults;
}

/** An id for a new threshold: letters, digits and dashes, and nobody else's. */
export function newId(name: string, random: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return [readable, random].filter(Boolean).join("-");
}
