/** How instants, lengths, figures and phone numbers are written. */
import i18next from "i18next";
import type { Figure } from "@/api/types";
import { session } from "@/api/session";

/** The tenant's zone: what every instant is shown in. */
export function zone(): string {
  return session.me()?.time_zone || "UTC";
}

const made = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions, timeZone = zone()): Intl.DateTimeFormat {
  const key = JSON.stringify([i18next.language, timeZone, options]);
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(i18next.language || "en", {
      timeZone,
      hourCycle: "h23",
      ...options,
    });
    made.set(key, found);
  }
  return found;
}

/** `14:05:09`, in the tenant's zone. */
export function clock(atMs: number): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(atMs);
}

/** `14:05`. */
export function hourMinute(atMs: number): string {
  return format({ hour: "2-digit", minute: "2-digit" }).format(atMs);
}

/** `23 Nov 2026`. */
export function day(atMs: number): string {
  return format({ day: "numeric", month: "short", year: "numeric" }).format(atMs);
}

/** `23 Nov 2026, 14:05`; today only the time. */
export function when(atMs: number, now = Date.now()): string {
  if (!atMs) return "";
  return day(atMs) === day(now) ? clock(atMs) : `${day(atMs)}, ${hourMinute(atMs)}`;
}

/** `4:09` or `1:02:03`: a length in clock form. */
export function length(lengthMs: number): string {
  const all = Math.max(0, Math.floor(lengthMs / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

const numbers = new Map<string, Intl.NumberFormat>();

/** Making a format costs a hundred times what using it does, and a floor writes many figures. */
function numberFormat(digits: number, style: "decimal" | "percent"): Intl.NumberFormat {
  const language = i18next.language || "en";
  const key = `${language} ${style} ${digits}`;
  let found = numbers.get(key);
  if (!found) {
    found = new Intl.NumberFormat(language, { style, maximumFractionDigits: digits });
    numbers.set(key, found);
  }
  return found;
}

/** A number with the language's marks. */
export function count(value: number, digits = 0): string {
  return numberFormat(digits, "decimal").format(value);
}

/** `87 %`. */
export function percent(value: number, digits = 0): string {
  return numberFormat(digits, "percent").format(value / 100);
}

/** A figure in its unit; a dash where there is no value. */
export function figure(of: Figure | undefined): string {
  if (!of || of.value === undefined || of.value === null) return "–";
  if (of.unit === "percent") return percent(of.value, 1);
  if (of.unit === "ms") return length(of.value);
  return count(of.value, of.unit === "count" ? 0 : 1);
}

/** The start of the day of an instant in a zone, as UTC milliseconds. */
export function startOfDay(atMs: number, timeZone = zone()): number {
  const offset = (instant: number) => {
    const parts = Object.fromEntries(
      format(
        {
          year: "numeric",
          month: "numeric",
          day: "numeric",
          hour: "numeric",
          minute: "numeric",
          second: "numeric",
        },
        timeZone,
      )
        .formatToParts(instant)
        .map((part) => [part.type, part.value]),
    );
    const local = Date.UTC(
      Number.parseInt(parts.year ?? "0", 10),
      Number.parseInt(parts.month ?? "1", 10) - 1,
      Number.parseInt(parts.day ?? "1", 10),
      Number(parts.hour),
      Number(parts.minute),
      Number(parts.second),
    );
    return { local, offset: local - Math.floor(instant / 1000) * 1000 };
  };
  const { local, offset: now } = offset(atMs);
  const midnight = Math.floor(local / 86_400_000) * 86_400_000;
  // The offset at midnight may be another one than now: the clocks may have changed in between.
  return midnight - offset(midnight - now).offset;
}
