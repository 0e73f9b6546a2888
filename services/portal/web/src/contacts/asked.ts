/** What the contacts' page is asked for by its address. */
import type { Choice, Range } from "@/reports/ranges";
import { KINDS, type Kind } from "@/reports/behind";
import { rangeIn } from "@/reports/useAddress";

export interface Asked {
  tab: Kind;
  choice: Choice;
  range: Range;
  queues: string[];
  agents: string[];
  exits: string[];
  /** Of calls. */
  outcomes: string[];
  /** A figure, `kpi` or `kpi:variant`; empty: all. */
  behind: string;
  denominator: boolean;
  /** Of service levels, in seconds; 0: the usual. */
  threshold: number;
}

/** The floor and reports lead here with a figure; without one it is today. */
export function askedIn(params: URLSearchParams, nowMs: number): Asked {
  const { choice, range } = rangeIn(params, "today", nowMs);
  const listed = (name: string) => (params.get(name) ?? "").split(",").filter(Boolean);
  return {
    tab: KINDS.find((each) => each === params.get("tab")) ?? "entries",
    choice,
    range: range ?? { fromMs: 0, toMs: nowMs },
    queues: params.getAll("queue"),
    agents: params.getAll("agent"),
    exits: listed("exits"),
    outcomes: listed("outcomes"),
    behind: params.get("behind") ?? "",
    denominator: params.get("denominator") === "1",
    threshold: Math.max(0, Number(params.get("threshold")) || 0),
  };
}

/** Records in one answer. */
export const PAGE = 200;

/** What all lists of records are asked for by. */
export function recordQuery(asked: Asked, token: string, size: number) {
  return {
    from_ms: asked.range.fromMs,
    to_ms: asked.range.toMs,
    newest_first: true,
    "page.size": size,
    ...(token && { "page.token": token }),
    ...(asked.behind && { behind: asked.behind, denominator: asked.denominator }),
  };
}
