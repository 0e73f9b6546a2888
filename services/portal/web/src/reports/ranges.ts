/** Stretches of time as people choose them, in the tenant's zone. */
import { startOfDay } from "@/i18n/format";

/** From the first instant up to, and without, the second; UTC milliseconds. */
export interface Range {
  fromMs: number;
  toMs: number;
}

export const PRESETS = ["today", "yesterday", "week", "month"] as const;
export type Preset = (typeof PRESETS)[number];
/** `all`: no limit; `custom`: two instants of one's own. */
export type Choice = Preset | "all" | "custom";

const DAY_MS = 86_400_000;
const HALF_DAY_MS = DAY_MS / 2;

export function isPreset(text: string): text is Preset {
  return (PRESETS as readonly string[]).includes(text);
}

/** The start of the day that is `days` after (or before) the day of an instant. */
export function dayAfter(atMs: number, days: number, zone: string): number {
  // Days last 23 to 25 hours: noon is always in the day that is meant.
  return startOfDay(startOfDay(atMs, zone) + days * DAY_MS + HALF_DAY_MS, zone);
}

/** The start of the month of an instant, `months` later. */
export function monthAfter(atMs: number, months: number, zone: string): number {
  const [year = 0, month = 1] = dateText(atMs, zone).split("-").map(Number);
  const first = new Date(Date.UTC(year, month - 1 + months, 1));
  return startOfDate(first.toISOString().slice(0, 10), zone) ?? atMs;
}

/** What a preset means now. */
export function rangeOf(preset: Preset, nowMs: number, zone: string): Range {
  switch (preset) {
    case "today":
      return { fromMs: startOfDay(nowMs, zone), toMs: dayAfter(nowMs, 1, zone) };
    case "yesterday":
      return { fromMs: dayAfter(nowMs, -1, zone), toMs: startOfDay(nowMs, zone) };
    case "week":
      return { fromMs: dayAfter(nowMs, -6, zone), toMs: dayAfter(nowMs, 1, zone) };
    case "month":
      return { fromMs: monthAfter(nowMs, 0, zone), toMs: monthAfter(nowMs, 1, zone) };
  }
}

/** The period before: as many days, or the month before; no more of it than has passed of this. */
export function before(range: Range, choice: Choice, nowMs: number, zone: string): Range {
  const { fromMs, toMs } = range;
  if (choice === "month") {
    const first = monthAfter(fromMs, -1, zone);
    return { fromMs: first, toMs: Math.min(fromMs, first + passed(range, nowMs)) };
  }
  const days = Math.round((toMs - fromMs) / DAY_MS);
  const whole = startOfDay(fromMs, zone) === fromMs && startOfDay(toMs, zone) === toMs;
  const first = whole && days > 0 ? dayAfter(fromMs, -days, zone) : fromMs - (toMs - fromMs);
  return { fromMs: first, toMs: Math.min(fromMs, first + passed(range, nowMs)) };
}

function passed({ fromMs, toMs }: Range, nowMs: number): number {
  return nowMs > fromMs && nowMs < toMs ? nowMs - fromMs : toMs - fromMs;
}

const fields = new Map<string, Intl.DateTimeFormat>();

function partsOf(atMs: number, zone: string): Record<string, string> {
  let format = fields.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    fields.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(atMs).map((part) => [part.type, part.value]));
}

/** `2026-11-23`. */
export function dateText(atMs: number, zone: string): string {
  const { year = "", month = "", day = "" } = partsOf(atMs, zone);
  return `${year.padStart(4, "0")}-${month}-${day}`;
}

/** `2026-11-23T14:05`, as an input of date and time has it. */
export function momentText(atMs: number, zone: string): string {
  const { hour = "", minute = "" } = partsOf(atMs, zone);
  return `${dateText(atMs, zone)}T${hour}:${minute}`;
}

/** The instant of a date and time in a zone; null: it is no such text. */
export function momentMs(text: string, zone: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return null;
  const local = Date.parse(`${text.slice(0, 16)}:00Z`);
  if (Number.isNaN(local)) return null;
  const offset = (atMs: number) => Date.parse(`${momentText(atMs, zone)}:00Z`) - floorMinute(atMs);
  const near = local - offset(local);
  return local - offset(near);
}

function floorMinute(atMs: number): number {
  return Math.floor(atMs / 60_000) * 60_000;
}

/** The start of a date, `2026-11-23`, in a zone; null: it is no such text. */
export function startOfDate(text: string, zone: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const noon = momentMs(`${text}T12:00`, zone);
  return noon === null ? null : startOfDay(noon, zone);
}
