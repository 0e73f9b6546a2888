import { describe, expect, it } from "vitest";
import { begun, chosenKpis, rowBefore, rowRange, stateIn, type Kpi, type ReportRow } from "./state";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const kpi = (name: string, variant = "", usual = true): Kpi => ({
  kpi: name,
  variant,
  name,
  formula: "",
  version: 1,
  unit: "count",
  default_variant: usual,
});
const row = (key: string): ReportRow => ({ key, name: "", figures: [] });

describe("a report's address", () => {
  it("is today by hours without anything", () =>
    expect(stateIn(new URLSearchParams(), NOW)).toMatchObject({ by: "hour", choice: "today" }));
  it("says everything that somebody else needs to see the same", () => {
    const address =
      "range=week&by=queue&queue=a&queue=b&kpi=asa:total&compare=1&threshold=30&chart=asa:total";
    expect(stateIn(new URLSearchParams(address), NOW)).toMatchObject({
      choice: "week",
      by: "queue",
      queues: ["a", "b"],
      kpis: ["asa:total"],
      compare: true,
      thresholdS: 30,
      chart: "asa:total",
    });
  });
  it("takes nothing that makes no sense", () =>
    expect(stateIn(new URLSearchParams("by=moon&threshold=x"), NOW)).toMatchObject({
      by: "hour",
      thresholdS: 0,
    }));
});

describe("the chosen KPIs", () => {
  const all = [kpi("asa", "total"), kpi("asa", "answered", false), kpi("answered")];
  const fits = new Set(["asa:total", "asa:answered", "answered"]);
  it("are the usual ones by their usual formula", () =>
    expect(chosenKpis(all, [], fits).map((each) => each.variant)).toEqual(["total", ""]));
  it("are those that were named", () =>
    expect(chosenKpis(all, ["asa:answered"], fits)).toEqual([all[1]]));
  it("are only those that say something here", () =>
    expect(chosenKpis(all, [], new Set(["answered"]))).toEqual([all[2]]));
});

describe("a row's stretch", () => {
  const rows = [row("1000"), row("2000"), row("3000")];
  const state = { ...stateIn(new URLSearchParams(), NOW), range: { fromMs: 1500, toMs: 3500 } };
  it("ends where the next begins, within the report's", () => {
    expect(rowRange(rows, 0, state)).toEqual({ fromMs: 1500, toMs: 2000 });
    expect(rowRange(rows, 2, state)).toEqual({ fromMs: 3000, toMs: 3500 });
  });
  it("of a queue or an agent is all of it", () =>
    expect(rowRange(rows, 0, { ...state, by: "queue" })).toEqual(state.range));
  it("has begun, or is not shown", () =>
    expect(begun(rows, "hour", 2500).map((each) => each.key)).toEqual(["1000", "2000"]));
});

describe("the row of the period before", () => {
  it("is found by its place in time, and by its key else", () => {
    const before = [row("x"), row("y")];
    expect(rowBefore(before, row("9"), 1, "hour")?.key).toBe("y");
    expect(rowBefore(before, row("x"), 1, "queue")?.key).toBe("x");
    expect(rowBefore(undefined, row("x"), 0, "queue")).toBeUndefined();
  });
});
