import { describe, expect, it } from "vitest";
import { layout, type LadderStep } from "./ladder";

function message(parts: Partial<LadderStep>): LadderStep {
  return {
    at_ms: "1000",
    leg_id: "1",
    role: "caller",
    sent: false,
    peer: "10.0.0.1:5060",
    line: "INVITE",
    cseq: "1 INVITE",
    times: 1,
    ...parts,
  };
}

describe("a ladder", () => {
  const ladder = layout([
    message({}),
    message({ sent: true, line: "100 Trying" }),
    message({ leg_id: "2", role: "external", sent: true }),
    message({ leg_id: "2", role: "external", line: "486 Busy Here" }),
  ]);
  it("has the gateway between the caller and all others", () =>
    expect(ladder.lanes.map((lane) => lane.role)).toEqual(["caller", "gateway", "external"]));
  it("has lanes that do not touch", () => {
    const xs = ladder.lanes.map((lane) => lane.x);
    expect(xs).toEqual([...xs].sort((one, other) => one - other));
    expect(new Set(xs).size).toBe(3);
    expect(Math.max(...xs)).toBeLessThan(ladder.width);
  });
  it("points each arrow from who sent to who got it", () => {
    const [caller, gateway, external] = ladder.lanes.map((lane) => lane.x);
    expect(ladder.arrows.map((arrow) => [arrow.fromX, arrow.toX])).toEqual([
      [caller, gateway],
      [gateway, caller],
      [gateway, external],
      [external, gateway],
    ]);
  });
  it("goes down in the order of messages, within its height", () => {
    const ys = ladder.arrows.map((arrow) => arrow.y);
    expect(ys).toEqual([...ys].sort((one, other) => one - other));
    expect(Math.max(...ys)).toBeLessThan(ladder.height);
  });
  it("marks refusals", () =>
    expect(ladder.arrows.map((arrow) => arrow.failed)).toEqual([false, false, false, true]));
  it("of nothing is empty", () => expect(layout([]).arrows).toEqual([]));
});
