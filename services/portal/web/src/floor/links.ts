/** Addresses of the contacts behind a figure. */
import { startOfDay, zone } from "@/i18n/format";

/** What "now" means for a live figure. */
export const NOW_SPAN_MS = 1_800_000;

let morning = { minute: -1, zone: "", ms: 0 };

/** The start of the day in the tenant's zone; found anew once a minute. */
export function today(now: number): number {
  const minute = Math.floor(now / 60_000);
  if (morning.minute !== minute || morning.zone !== zone())
    morning = { minute, zone: zone(), ms: startOfDay(now) };
  return morning.ms;
}

export interface Behind {
  fromMs: number;
  toMs: number;
  queue?: string;
  agent?: string;
  /** A figure, for example `service_level`: the contacts that it was made of. */
  kpi?: string;
  /** True: those in the figure's denominator instead of its numerator. */
  denominator?: boolean;
  /** Only contacts that left so. */
  exits?: string[];
}

/** The page of contacts that shows them. */
export function contactsBehind(what: Behind): string {
  const asked = new URLSearchParams();
  if (what.kpi) asked.set("behind", what.kpi);
  asked.set("from", String(Math.floor(what.fromMs)));
  asked.set("to", String(Math.floor(what.toMs)));
  if (what.queue) asked.set("queue", what.queue);
  if (what.agent) asked.set("agent", what.agent);
  if (what.denominator) asked.set("denominator", "1");
  if (what.exits?.length) asked.set("exits", what.exits.join(","));
  return `/contacts?${asked}`;
}
