/** What a report is asked for, as it stands in the address. */
import type { Schema } from "@/api/types";
import { labelOf } from "./behind";
import type { Choice, Range } from "./ranges";
import { rangeIn } from "./useAddress";

export type Kpi = Schema<"analytics.v1.Kpi">;
export type Figure = Schema<"analytics.v1.Figure">;
export type ReportRow = Schema<"analytics.v1.ReportRow">;

export const GROUPINGS = ["total", "interval", "hour", "day", "queue", "agent"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What a report shows to somebody who has chosen nothing; each by its usual formula. */
const USUAL = [
  "offered",
  "answered",
  "abandoned",
  "service_level",
  "asa",
  "abandon_rate",
  "average_handle_time",
  "occupancy",
];

/** A report holds so many figures at once. */
export const MAX_CHOSEN = 24;

export interface ReportState {
  choice: Choice;
  range: Range;
  by: Grouping;
  queues: string[];
  agents: string[];
  /** Labels with their variants; empty: the usual ones. */
  kpis: string[];
  compare: boolean;
  /** Of service levels, in seconds; 0: the usual. */
  thresholdS: number;
  /** The label that the chart shows; empty: the first. */
  chart: string;
}

export function stateIn(params: URLSearchParams, nowMs: number): ReportState {
  const { choice, range } = rangeIn(params, "today", nowMs);
  const by = GROUPINGS.find((each) => each === params.get("by"));
  return {
    choice,
    range: range ?? { fromMs: 0, toMs: nowMs },
    by: by ?? "hour",
    queues: params.getAll("queue"),
    agents: params.getAll("agent"),
    kpis: params.getAll("kpi"),
    compare: params.get("compare") === "1",
    thresholdS: Math.min(86_400, Math.max(0, Math.floor(Number(params.get("threshold")) || 0))),
    chart: params.get("chart") ?? "",
  };
}

export function isByTime(by: Grouping): boolean {
  return by === "interval" || by === "hour" || by === "day";
}

/** The KPIs that are meant, in the catalogue's order, only those that say something here. */
export function chosenKpis(all: Kpi[], wanted: string[], fitting: ReadonlySet<string>): Kpi[] {
  const names = wanted.length > 0 ? wanted : USUAL;
  return all.filter((kpi) => {
    const label = labelOf(kpi);
    const meant = names.includes(label) || (kpi.default_variant && names.includes(kpi.kpi));
    return meant && fitting.has(label);
  });
}

/** The stretch of a row by time: from its start to the next row's, within the report's. */
export function rowRange(rows: ReportRow[], place: number, state: ReportState): Range {
  const { range } = state;
  if (!isByTime(state.by)) return range;
  const next = rows[place + 1];
  return {
    fromMs: Math.max(range.fromMs, Number(rows[place]?.key)),
    toMs: next ? Math.min(range.toMs, Number(next.key)) : range.toMs,
  };
}

/** Rows without those that have not begun yet. */
export function begun(rows: ReportRow[], by: Grouping, nowMs: number): ReportRow[] {
  return isByTime(by) ? rows.filter((row) => Number(row.key) <= nowMs) : rows;
}

/** The figure of a KPI in a row. */
export function figureOf(row: ReportRow | undefined, kpi: Kpi): Figure | undefined {
  return row?.figures.find((each) => each.kpi === kpi.kpi && each.variant === kpi.variant);
}

/** The row of the period before that stands beside a row: by place in time, else by key. */
export function rowBefore(
  before: ReportRow[] | undefined,
  row: ReportRow,
  place: number,
  by: Grouping,
): ReportRow | undefined {
  if (!before) return undefined;
  return isByTime(by) ? before[place] : before.find((each) => each.key === row.key);
}
