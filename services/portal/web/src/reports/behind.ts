/** What figures are made of, so that each of them opens the records behind it. */
export type Kind = "entries" | "calls" | "intervals";

/** Figures of calls and of agents' time; all others are of contacts. */
const OF_CALLS: ReadonlySet<string> = new Set([
  "answered_rate:received",
  "answered_rate",
  "queued_rate",
  "total_calls:received",
]);

/** `kpi` or `kpi:variant`. */
export function labelOf(kpi: { kpi: string; variant: string }): string {
  return kpi.variant ? `${kpi.kpi}:${kpi.variant}` : kpi.kpi;
}

/** Of which records the numerator, or the denominator, of a figure is made. */
export function madeOf(label: string, denominator: boolean): Kind {
  const [kpi] = label.split(":");
  if (kpi === "occupancy") return "intervals";
  if (kpi === "calls_per_hour") return denominator ? "intervals" : "entries";
  return OF_CALLS.has(label) ? "calls" : "entries";
}

/** The address of the records behind a part of a figure. */
export function behindAddress(part: {
  label: string;
  denominator: boolean;
  fromMs: number;
  toMs: number;
  queue?: string;
  agent?: string;
  thresholdS?: number;
}): string {
  const asked = new URLSearchParams({
    behind: part.label,
    from: String(part.fromMs),
    to: String(part.toMs),
  });
  const kind = madeOf(part.label, part.denominator);
  if (kind !== "entries") asked.set("tab", kind);
  if (part.denominator) asked.set("denominator", "1");
  if (part.queue) asked.set("queue", part.queue);
  if (part.agent) asked.set("agent", part.agent);
  if (part.thresholdS) asked.set("threshold", String(part.thresholdS));
  return `/contacts?${asked}`;
}
