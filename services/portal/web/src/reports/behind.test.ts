import { describe, expect, it } from "vitest";
import { behindAddress, labelOf, madeOf } from "./behind";

describe("what a figure is made of", () => {
  it("is contacts, unless it is calls or agents' time", () => {
    expect(madeOf("service_level:V3", false)).toBe("entries");
    expect(madeOf("answered_rate:offered", true)).toBe("entries");
    expect(madeOf("answered_rate:received", false)).toBe("calls");
    expect(madeOf("occupancy:talk-hold", true)).toBe("intervals");
  });
  it("may differ above and below the line", () => {
    expect(madeOf("calls_per_hour", false)).toBe("entries");
    expect(madeOf("calls_per_hour", true)).toBe("intervals");
  });
});

describe("its address", () => {
  it("says all that the figure was asked for with", () => {
    const address = behindAddress({
      label: "service_level:V3",
      denominator: true,
      fromMs: 1,
      toMs: 2,
      queue: "sales",
      thresholdS: 30,
    });
    expect(Object.fromEntries(new URL(address, "http://x").searchParams)).toEqual({
      behind: "service_level:V3",
      from: "1",
      to: "2",
      denominator: "1",
      queue: "sales",
      threshold: "30",
    });
  });
  it("leads to the records that it is made of", () => {
    const part = { label: "occupancy", denominator: false, fromMs: 1, toMs: 2 };
    expect(behindAddress(part)).toContain("tab=intervals");
  });
  it("names the variant where there is one", () => {
    expect(labelOf({ kpi: "asa", variant: "total" })).toBe("asa:total");
    expect(labelOf({ kpi: "answered", variant: "" })).toBe("answered");
  });
});
