import { expect, it } from "vitest";
import type { LiveRow } from "@/api/types";
import { figureOf, levelTone, tone, waitTone } from "./tones";

it("judges a service level, of which more is better", () => {
  expect([95, 80, 79.9, 70, 69.9].map((value) => levelTone(value, 80))).toEqual([
    "good",
    "good",
    "warn",
    "warn",
    "bad",
  ]);
  expect([95, 94, 80].map((value) => levelTone(value, 95))).toEqual(["good", "warn", "bad"]);
  expect(levelTone(undefined, 80)).toBe("plain");
});

it("judges times and shares, of which less is better", () => {
  expect([0, 20_000, 20_001, 40_001].map((value) => tone("asa", value))).toEqual([
    "good",
    "good",
    "warn",
    "bad",
  ]);
  expect([5, 6, 9].map((value) => tone("abandon_rate", value))).toEqual(["good", "warn", "bad"]);
});

it("judges nothing without a value", () => expect(tone("asa", undefined)).toBe("plain"));

it("says nothing of a short wait", () => {
  expect([0, 19_000, 30_000, 61_000].map(waitTone)).toEqual(["plain", "plain", "warn", "bad"]);
});

it("finds a figure by its name", () => {
  const row = { now: [{ kpi: "asa", value: 3 }], today: [] } as unknown as LiveRow;
  expect(figureOf(row, "now", "asa")?.value).toBe(3);
  expect(figureOf(row, "today", "asa")).toBeUndefined();
  expect(figureOf(undefined, "now", "asa")).toBeUndefined();
});
