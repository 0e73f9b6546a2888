/** What a page shows, kept in its address: a link shows the same to somebody else. */
import { useCallback } from "react";
import { useSearchParams } from "@/app/go";
import { zone } from "@/i18n/format";
import { dayAfter, isPreset, rangeOf, startOfDate, type Choice, type Range } from "./ranges";

type Changes = Record<string, string | readonly string[] | null>;

/** The parameters, and a way to change some of them; null or empty takes one away. */
export function useAddress(): [URLSearchParams, (changes: Changes) => void] {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (changes: Changes) => setParams((before) => changed(before, changes), { replace: true }),
    [setParams],
  );
  return [params, change];
}

/** The parameters with some of them changed. */
export function changed(before: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const each of value === null ? [] : [value].flat()) if (each) next.append(name, each);
  }
  return next;
}

/** Which time an address asks for: `range` is a preset; else `from` and `to`, dates or UTC ms. */
export function rangeIn(
  params: URLSearchParams,
  usual: Choice,
  nowMs: number,
): { choice: Choice; range: Range | null } {
  const named = params.get("range") ?? "";
  if (isPreset(named)) return { choice: named, range: rangeOf(named, nowMs, zone()) };
  if (named === "all") return { choice: "all", range: null };
  const fromMs = instant(params.get("from"), 0);
  const toMs = instant(params.get("to"), 1);
  if (fromMs !== null && toMs !== null && fromMs < toMs)
    return { choice: "custom", range: { fromMs, toMs } };
  if (isPreset(usual)) return { choice: usual, range: rangeOf(usual, nowMs, zone()) };
  return { choice: "all", range: null };
}

/** A date means its start, or as the end of a range the start of the day after it. */
function instant(text: string | null, end: 0 | 1): number | null {
  if (!text) return null;
  if (/^\d{10,15}$/.test(text)) return Number(text);
  const start = startOfDate(text, zone());
  if (start === null || end === 0) return start;
  return dayAfter(start, 1, zone());
}
