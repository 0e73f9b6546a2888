/** When a business is open, as a week is edited. */
import type { Schema } from "@/api/types";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];
export type Stretch = Schema<"ivr.v1.OpenHours">;
export type SpecialDay = Schema<"ivr.v1.SpecialDay">;

/** Minutes of `HH:MM`, `24:00` included; null: not a time. */
export function minutes(text: string): number | null {
  const [, hours = "", rest = ""] = /^(\d{2}):(\d{2})$/.exec(text) ?? [];
  const all = Number(hours) * 60 + Number(rest);
  if (!hours || Number(rest) > 59 || all > 1440) return null;
  return all;
}

/** An end of midnight means the end of the day. */
export function asEnd(text: string): string {
  return text === "00:00" ? "24:00" : text;
}

/** What a field for times shows; it knows no 24:00. */
export function shownEnd(text: string): string {
  return text === "24:00" ? "00:00" : text;
}

export function ofDay(week: readonly Stretch[], day: string): Stretch[] {
  return week.filter((stretch) => stretch.day === day);
}

/** The week with other stretches on one day. */
export function withDay(week: readonly Stretch[], day: Day, hours: readonly Stretch[]): Stretch[] {
  const rest = week.filter((stretch) => stretch.day !== day);
  const next = hours.map(({ from, to }) => ({ day, from, to }));
  return DAYS.flatMap((each) => (each === day ? next : ofDay(rest, each)));
}

/** One day's stretches on other days, too. */
export function copiedTo(week: readonly Stretch[], from: Day, to: readonly Day[]): Stretch[] {
  const hours = ofDay(week, from);
  return to.reduce<Stretch[]>((next, day) => withDay(next, day, hours), [...week]);
}

/** The next stretch that makes sense after those there are; null: the day is full. */
export function nextStretch(hours: readonly Stretch[], day: string): Stretch | null {
  if (hours.length === 0) return { day, from: "09:00", to: "17:00" };
  const last = Math.max(...hours.map((stretch) => minutes(stretch.to) ?? 0));
  if (last >= 1440 - 60) return null;
  const from = Math.min(last + 60, 1440 - 60);
  const text = (at: number) =>
    `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  return { day, from: text(from), to: text(Math.min(from + 240, 1440)) };
}

export type StretchFault = "time" | "backwards" | "overlap";

/** What is wrong with each of a day's stretches. */
export function faultsOf(hours: readonly Stretch[]): (StretchFault | null)[] {
  return hours.map((stretch, place) => {
    const [from, to] = [minutes(stretch.from), minutes(stretch.to)];
    if (from === null || to === null) return "time";
    if (from >= to) return "backwards";
    const crossed = hours.some((other, at) => {
      const [start, end] = [minutes(other.from), minutes(other.to)];
      return at !== place && start !== null && end !== null && start < to && from < end;
    });
    return crossed ? "overlap" : null;
  });
}

/** Special days with more of them; a date stays as it was. In order. */
export function withSpecial(
  days: readonly SpecialDay[],
  more: readonly SpecialDay[],
): SpecialDay[] {
  const known = new Set(days.map((one) => one.date));
  return [...days, ...more.filter((one) => !known.has(one.date))].sort((one, other) =>
    one.date.localeCompare(other.date),
  );
}

/** Everything that is wrong with a calendar's hours. */
export function anyFault(week: readonly Stretch[], special: readonly SpecialDay[]): boolean {
  const days = [...DAYS.map((day) => ofDay(week, day)), ...special.map((one) => one.hours)];
  return (
    days.some((hours) => faultsOf(hours).some(Boolean)) ||
    special.some((one) => !/^\d{4}-\d{2}-\d{2}$/.test(one.date)) ||
    new Set(special.map((one) => one.date)).size < special.length
  );
}
