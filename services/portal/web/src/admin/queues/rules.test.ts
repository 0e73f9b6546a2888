import { describe, expect, it } from "vitest";
import { complete, faultsOf, inheritedRing, inheritedWrapUp, newQueue, PLATFORM } from "./rules";
import { emptyExpr } from "./expr";

const DEFAULTS = { ring_rules: [], blocks: [], break_resets_idle: false };

describe("what a queue inherits", () => {
  it("comes from the platform where the tenant says nothing", () => {
    expect(inheritedWrapUp(DEFAULTS)).toEqual({ value: PLATFORM.wrap_up, from: "platform" });
    expect(inheritedRing("no_answer", undefined).value).toMatchObject({
      rest_ms: "5000",
      strike: true,
    });
  });
  it("comes from the tenant where it says something, outcome by outcome", () => {
    const rule = { outcome: "reject", rest_ms: "1", exclude_ms: "0", strike: true };
    const defaults = {
      ...DEFAULTS,
      wrap_up: { ...PLATFORM.wrap_up, mode: "none" },
      ring_rules: [rule],
    };
    expect(inheritedWrapUp(defaults)).toMatchObject({ from: "tenant", value: { mode: "none" } });
    expect(inheritedRing("reject", defaults)).toEqual({ value: rule, from: "tenant" });
    expect(inheritedRing("busy", defaults).from).toBe("platform");
  });
});

describe("a queue's faults", () => {
  it("are none when it inherits everything", () => {
    expect(faultsOf({ ...newQueue(), queue_id: "sales", name: "Sales" }, true, [])).toEqual([]);
  });
  it("are said by field", () => {
    const queue = {
      ...newQueue(),
      strategies: ["random", "longest_idle"],
      plan: {
        steps: [{ expr: emptyExpr("skill"), for_s: "30", replaces: false }],
        end: "overflow",
      },
      wrap_up: { ...PLATFORM.wrap_up, min_ms: "40000" },
    };
    expect(faultsOf(queue, true, [])).toEqual([
      "name",
      "id",
      "random",
      "plan",
      "overflow",
      "wrapUp",
    ]);
    expect(faultsOf({ ...newQueue(), queue_id: "a", name: "A" }, true, ["a"])).toEqual(["taken"]);
  });
  it("see through nested conditions", () => {
    const skill = { ...emptyExpr("skill"), name: "english" };
    expect(complete({ ...emptyExpr("and"), of: [skill, emptyExpr("any")] })).toBe(true);
    expect(complete({ ...emptyExpr("not"), of: [emptyExpr("skill")] })).toBe(false);
    expect(complete({ ...emptyExpr("or"), of: [] })).toBe(false);
  });
});
