/** What the contacts' page is asked for by its address. */
import type { Choice, Range } from "@/reports/ranges";
import { madeOf, type Kind } from "@/reports/behind";
import { rangeIn } from "@/reports/useAddress";

export const TABS = ["entries", "calls", "intervals"] as const;

export interface Asked {
  tab: Kind;
  choice: Choice;
  range: Range;
  queue: string;
  agent: string;
  exits: string[];
  /** A figure, `kpi` or `kpi:variant`; empty: all. */
  behind: string;
  denominator: boolean;
  /** Of service levels, in seconds; 0: the usual. */
  threshold: number;
}

/** The floor and reports lead here with a figure; without one it is today. */
export function askedIn(params: URLSearchParams, nowMs: number): Asked {
  const { choice, range } = rangeIn(params, "today", nowMs);
  const behind = params.get("behind") ?? "";
  const denominator = params.get("denominator") === "1";
  const named = TABS.find((each) => each === params.get("tab"));
  return {
    tab: named ?? (behind ? madeOf(behind, denominator) : "entries"),
    choice,
    range: range ?? { fromMs: 0, toMs: nowMs },
    queue: params.get("queue") ?? "",
    agent: params.get("agent") ?? "",
    exits: (params.get("exits") ?? "").split(",").filter(Boolean),
    behind,
    denominator,
    threshold: Math.max(0, Number(params.get("threshold")) || 0),
  };
}

/** What all lists of records are asked for by. */
export function recordQuery(asked: Asked, token: string, size: number) {
  return {
    from_ms: asked.range.fromMs,
    to_ms: asked.range.toMs,
    "page.size": size,
    ...(token && { "page.token": token }),
    ...(asked.behind && { behind: asked.behind, denominator: asked.denominator }),
  };
}
