import { describe, expect, it } from "vitest";
import { behindAddress, labelOf } from "./behind";

describe("the address of what is behind a figure", () => {
  it("says all that the figure was asked for with", () => {
    const address = behindAddress({
      label: "service_level:V3",
      records: "entries",
      denominator: true,
      fromMs: 1,
      toMs: 2,
      queues: ["sales"],
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
    const part = { label: "occupancy", records: "intervals", denominator: false };
    const address = behindAddress({ ...part, fromMs: 1, toMs: 2, agents: ["a", "b"] });
    expect(address).toContain("tab=intervals&agent=a&agent=b");
  });
  it("names the variant where there is one", () => {
    expect(labelOf({ kpi: "asa", variant: "total" })).toBe("asa:total");
    expect(labelOf({ kpi: "answered", variant: "" })).toBe("answered");
  });
});
