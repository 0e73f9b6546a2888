/** What figures are made of, so that each of them opens the records behind it. */
export const KINDS = ["entries", "calls", "intervals"] as const;
export type Kind = (typeof KINDS)[number];

/** `kpi` or `kpi:variant`. */
export function labelOf(kpi: { kpi: string; variant: string }): string {
  return kpi.variant ? `${kpi.kpi}:${kpi.variant}` : kpi.kpi;
}

/** The address of the records behind a part of a figure. */
export function behindAddress(part: {
  label: string;
  /** The records that this part is made of, as `GET /v1/kpis` names them. */
  records: string;
  denominator: boolean;
  fromMs: number;
  toMs: number;
  queues?: readonly string[];
  agents?: readonly string[];
  thresholdS?: number;
}): string {
  const asked = new URLSearchParams({
    behind: part.label,
    from: String(part.fromMs),
    to: String(part.toMs),
  });
  if (part.records !== "entries") asked.set("tab", part.records);
  if (part.denominator) asked.set("denominator", "1");
  for (const queue of part.queues ?? []) asked.append("queue", queue);
  for (const agent of part.agents ?? []) asked.append("agent", agent);
  if (part.thresholdS) asked.set("threshold", String(part.thresholdS));
  return `/contacts?${asked}`;
}
