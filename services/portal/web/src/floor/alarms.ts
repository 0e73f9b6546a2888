/** Which alarms are shown first, and which have just been raised. */
import type { Alarm } from "@/api/boards";
import { ms } from "@/api/types";

/** What the list of past alarms is kept under. */
export const PAST_ALARMS = ["floor", "alarms", "past"] as const;

export function stands(alarm: Alarm): boolean {
  return alarm.state === "raised";
}

export function isSeen(alarm: Alarm): boolean {
  return ms(alarm.acknowledged_at_ms) > 0;
}

/** Those nobody has seen first, then critical ones, then those that stand, then the newest. */
export function byUrgency(alarms: Iterable<Alarm>): Alarm[] {
  const keys = (alarm: Alarm) => [
    Number(isSeen(alarm)),
    Number(!stands(alarm)),
    Number(alarm.threshold?.severity !== "critical"),
    -ms(alarm.raised_at_ms),
  ];
  return [...alarms].sort((a, b) => {
    const [of, than] = [keys(a), keys(b)];
    for (const [place, key] of of.entries()) {
      const by = key - (than[place] ?? 0);
      if (by !== 0) return by;
    }
    return 0;
  });
}

/** Those that the banner shows: they stand, and nobody has seen them. */
export function urgent(alarms: Iterable<Alarm>): Alarm[] {
  return byUrgency(alarms).filter((alarm) => stands(alarm) && !isSeen(alarm));
}

/** Ids of alarms that stand now and did not before; null before: the page has just been opened. */
export function fresh(before: ReadonlySet<string> | null, alarms: Iterable<Alarm>): string[] {
  if (!before) return [];
  return urgent(alarms)
    .map((alarm) => alarm.alarm_id)
    .filter((id) => !before.has(id));
}
