import { describe, expect, it } from "vitest";
import { before, dayAfter, momentMs, momentText, monthAfter, rangeOf, startOfDate } from "./ranges";

const utc = (text: string) => Date.parse(text);
const BUCHAREST = "Europe/Bucharest";
const NEW_YORK = "America/New_York";

describe("presets", () => {
  const now = utc("2026-11-23T03:00:00Z");
  it("follow the zone's days, not the machine's", () => {
    expect(rangeOf("today", now, BUCHAREST)).toEqual({
      fromMs: utc("2026-11-22T22:00:00Z"),
      toMs: utc("2026-11-23T22:00:00Z"),
    });
    // In New York it is still the evening before.
    expect(rangeOf("today", now, NEW_YORK).fromMs).toBe(utc("2026-11-22T05:00:00Z"));
    expect(rangeOf("yesterday", now, NEW_YORK)).toEqual({
      fromMs: utc("2026-11-21T05:00:00Z"),
      toMs: utc("2026-11-22T05:00:00Z"),
    });
  });
  it("have seven days with today, and whole months", () => {
    expect(rangeOf("week", now, BUCHAREST)).toEqual({
      fromMs: utc("2026-11-16T22:00:00Z"),
      toMs: utc("2026-11-23T22:00:00Z"),
    });
    expect(rangeOf("month", now, BUCHAREST)).toEqual({
      fromMs: utc("2026-10-31T22:00:00Z"),
      toMs: utc("2026-11-30T22:00:00Z"),
    });
  });
  it("hold on days on which the clocks change", () => {
    const changed = utc("2026-10-25T10:00:00Z");
    const { fromMs, toMs } = rangeOf("today", changed, BUCHAREST);
    expect(toMs - fromMs).toBe(25 * 3_600_000);
    expect(dayAfter(changed, 1, BUCHAREST)).toBe(utc("2026-10-25T22:00:00Z"));
    expect(dayAfter(changed, -1, BUCHAREST)).toBe(utc("2026-10-23T21:00:00Z"));
  });
  it("know the months around the turn of the year", () => {
    expect(monthAfter(utc("2027-01-10T00:00:00Z"), -1, "UTC")).toBe(utc("2026-12-01T00:00:00Z"));
    expect(monthAfter(utc("2026-12-10T00:00:00Z"), 1, "UTC")).toBe(utc("2027-01-01T00:00:00Z"));
  });
});

describe("the period before", () => {
  const now = utc("2026-11-23T12:00:00Z");
  it("of a whole one is as long", () => {
    const yesterday = rangeOf("yesterday", now, "UTC");
    expect(before(yesterday, "yesterday", now, "UTC")).toEqual({
      fromMs: utc("2026-11-21T00:00:00Z"),
      toMs: utc("2026-11-22T00:00:00Z"),
    });
  });
  it("of one that goes on ends where the present one is now", () => {
    const today = rangeOf("today", now, "UTC");
    expect(before(today, "today", now, "UTC")).toEqual({
      fromMs: utc("2026-11-22T00:00:00Z"),
      toMs: utc("2026-11-22T12:00:00Z"),
    });
  });
  it("of a month is the month before, whatever their lengths", () => {
    const march = rangeOf("month", utc("2026-03-31T12:00:00Z"), "UTC");
    expect(before(march, "month", utc("2026-03-31T12:00:00Z"), "UTC")).toEqual({
      fromMs: utc("2026-02-01T00:00:00Z"),
      toMs: utc("2026-03-01T00:00:00Z"),
    });
  });
  it("keeps to midnights when the clocks change in between", () => {
    const range = { fromMs: utc("2026-10-25T22:00:00Z"), toMs: utc("2026-10-27T22:00:00Z") };
    expect(before(range, "custom", now, BUCHAREST)).toEqual({
      // The two days before: the second of them had 25 hours.
      fromMs: utc("2026-10-23T21:00:00Z"),
      toMs: utc("2026-10-25T21:00:00Z"),
    });
  });
  it("of some minutes is the same minutes before them", () => {
    const range = { fromMs: utc("2026-11-23T10:00:00Z"), toMs: utc("2026-11-23T10:30:00Z") };
    expect(before(range, "custom", now, "UTC").fromMs).toBe(utc("2026-11-23T09:30:00Z"));
  });
});

describe("dates and times as inputs have them", () => {
  it("are read and written in the zone", () => {
    expect(momentText(utc("2026-07-01T21:30:00Z"), BUCHAREST)).toBe("2026-07-02T00:30");
    expect(momentMs("2026-07-02T00:30", BUCHAREST)).toBe(utc("2026-07-01T21:30:00Z"));
    expect(momentMs("2026-12-02T00:30", NEW_YORK)).toBe(utc("2026-12-02T05:30:00Z"));
    expect(startOfDate("2026-10-25", BUCHAREST)).toBe(utc("2026-10-24T21:00:00Z"));
    expect(startOfDate("2026-11-23", "Pacific/Kiritimati")).toBe(utc("2026-11-22T10:00:00Z"));
  });
  it("that are none say so", () => {
    for (const text of ["", "soon", "2026-13-99T00:00"]) expect(momentMs(text, "UTC")).toBeNull();
    expect(startOfDate("2026-1-2", "UTC")).toBeNull();
  });
});
