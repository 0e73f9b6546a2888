import { describe, expect, it } from "vitest";
import {
  anyFault,
  asEnd,
  copiedTo,
  faultsOf,
  minutes,
  nextStretch,
  ofDay,
  shownEnd,
  withDay,
  withSpecial,
} from "./week";

const on = (from: string, to: string, day = "mon") => ({ day, from, to });

it("knows times", () => {
  expect(["09:30", "24:00"].map(minutes)).toEqual([570, 1440]);
  expect(["24:01", "9:00", "", "10:60"].map(minutes)).toEqual([null, null, null, null]);
  expect([asEnd("00:00"), shownEnd("24:00")]).toEqual(["24:00", "00:00"]);
});

describe("a week", () => {
  const week = [on("09:00", "12:00"), on("13:00", "17:00"), on("10:00", "14:00", "sat")];
  it("copies a day to others", () => {
    const next = copiedTo(week, "mon", ["tue", "sat"]);
    expect(ofDay(next, "tue")).toEqual([on("09:00", "12:00", "tue"), on("13:00", "17:00", "tue")]);
    expect(ofDay(next, "sat")).toHaveLength(2);
    expect(ofDay(next, "mon")).toEqual(ofDay(week, "mon"));
  });
  it("is kept in order when a day changes", () => {
    const next = withDay(week, "mon", [on("08:00", "09:00")]);
    expect(next).toEqual([on("08:00", "09:00"), on("10:00", "14:00", "sat")]);
  });
  it("offers the next stretch", () => {
    expect(nextStretch([], "mon")).toEqual(on("09:00", "17:00"));
    expect(nextStretch(ofDay(week, "mon"), "mon")).toEqual(on("18:00", "22:00"));
    expect(nextStretch([on("00:00", "24:00")], "mon")).toBeNull();
  });
  it("says what is wrong", () => {
    expect(faultsOf([on("09:00", "12:00"), on("11:00", "13:00"), on("15:00", "14:00")])).toEqual([
      "overlap",
      "overlap",
      "backwards",
    ]);
    expect(faultsOf([on("09:00", "12:00"), on("12:00", "24:00"), on("", "")])).toEqual([
      null,
      null,
      "time",
    ]);
  });
});

it("takes holidays once each, in order", () => {
  const have = [{ date: "2026-12-25", name: "Ours", hours: [on("10:00", "12:00", "")] }];
  const next = withSpecial(have, [
    { date: "2026-12-25", name: "Christmas", hours: [] },
    { date: "2026-01-01", name: "New Year", hours: [] },
  ]);
  expect(next.map((one) => one.name)).toEqual(["New Year", "Ours"]);
  expect(anyFault([], next)).toBe(false);
  expect(anyFault([], [...next, { date: "", name: "", hours: [] }])).toBe(true);
});
