import { describe, expect, it } from "vitest";
import {
  draftOf,
  faultsOf,
  MEASURES,
  newDraft,
  newId,
  thresholdOf,
  withMeasure,
} from "./thresholds";

const good = { ...newDraft(), name: "Long lines" };

describe("a draft", () => {
  it("begins with values that go together, whatever is measured", () => {
    for (const measure of MEASURES) expect(faultsOf(withMeasure(good, measure))).toEqual({});
  });
  it("is about too little where little is bad", () => {
    expect(withMeasure(good, "service_level").direction).toBe("below");
    expect(withMeasure(good, "longest_wait").direction).toBe("above");
  });
  it("comes back as it went, times in seconds", () => {
    const draft = { ...withMeasure(good, "longest_wait"), id: "long", queueId: "q" };
    const sent = thresholdOf(draft, "long");
    expect([sent.raise_at, sent.clear_at]).toEqual([120_000, 60_000]);
    expect(draftOf(sent)).toEqual(draft);
  });
});

describe("the faults", () => {
  it("are said at their fields", () => {
    expect(faultsOf({ ...good, name: " " })).toEqual({ name: "missing" });
    expect(faultsOf({ ...good, name: "x".repeat(101) })).toEqual({ name: "long" });
    expect(faultsOf({ ...good, raiseAt: "" })).toEqual({ raiseAt: "number" });
    expect(faultsOf({ ...good, clearAt: -1 })).toEqual({ clearAt: "number" });
    expect(faultsOf({ ...good, forS: 3601 })).toEqual({ forS: "forS" });
    expect(faultsOf({ ...good, forS: "" })).toEqual({ forS: "forS" });
  });
  it("know that shares end at 100", () =>
    expect(faultsOf({ ...withMeasure(good, "occupancy"), raiseAt: 101 })).toEqual({
      raiseAt: "percent",
    }));
  it("know on which side an alarm ends", () => {
    expect(faultsOf({ ...good, raiseAt: 5, clearAt: 6 })).toEqual({ clearAt: "lower" });
    expect(faultsOf({ ...good, raiseAt: 5, clearAt: 5 })).toEqual({});
    const level = withMeasure(good, "service_level");
    expect(faultsOf({ ...level, raiseAt: 80, clearAt: 70 })).toEqual({ clearAt: "higher" });
  });
});

it("makes ids of names in any writing", () => {
  expect(newId("Long lines!", "1f")).toBe("long-lines-1f");
  expect(newId("等待过久", "1f")).toBe("1f");
  expect(newId("x".repeat(90), "1f").length).toBeLessThanOrEqual(64);
});
