import { describe, expect, it } from "vitest";
import { figure, length, startOfDay } from "./format";

describe("lengths", () => {
  it("are minutes and seconds, and hours only when there are any", () => {
    expect([0, 999, 61_000, 3_600_000, 3_723_500].map(length)).toEqual([
      "0:00",
      "0:00",
      "1:01",
      "1:00:00",
      "1:02:03",
    ]);
  });
  it("are never below nothing", () => expect(length(-5_000)).toBe("0:00"));
});

describe("the start of a day", () => {
  const utc = (text: string) => Date.parse(text);
  it("is midnight in the zone", () => {
    expect(startOfDay(utc("2026-11-23T03:00:00Z"), "Europe/Bucharest")).toBe(
      utc("2026-11-22T22:00:00Z"),
    );
    expect(startOfDay(utc("2026-11-23T03:00:00Z"), "America/New_York")).toBe(
      utc("2026-11-22T05:00:00Z"),
    );
  });
  it("holds on days on which the clocks change", () => {
    // In Bucharest clocks went back at 04:00 on 25 October 2026: midnight was still summer time.
    expect(startOfDay(utc("2026-10-25T12:00:00Z"), "Europe/Bucharest")).toBe(
      utc("2026-10-24T21:00:00Z"),
    );
    expect(startOfDay(utc("2026-03-29T12:00:00Z"), "Europe/Bucharest")).toBe(
      utc("2026-03-28T22:00:00Z"),
    );
  });
});

describe("figures", () => {
  const of = (unit: string, value?: number) => ({
    kpi: "k",
    variant: "",
    unit,
    numerator: 0,
    denominator: 0,
    ...(value === undefined ? {} : { value }),
  });
  it("without a value are a dash, not a nought", () => expect(figure(of("percent"))).toBe("–"));
  it("are written in their unit", () => {
    expect(figure(of("percent", 87.45))).toBe("87.5%");
    expect(figure(of("ms", 62_000))).toBe("1:02");
    expect(figure(of("count", 12))).toBe("12");
    expect(figure(of("per_hour", 7.25))).toBe("7.3");
  });
});
