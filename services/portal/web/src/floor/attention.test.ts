import { describe, expect, it } from "vitest";
import type { AgentView } from "@/api/types";
import { alertAt, alertOf, inOrder, LIMITS } from "./attention";

const NOW = 1_800_000_000_000;

function agent(state: string, lastedMs: number, more: Partial<AgentView> = {}): AgentView {
  return {
    agent_id: more.name ?? state,
    name: state,
    state,
    reason: "",
    since_ms: String(NOW - lastedMs),
    version: "1",
    presence: "ready",
    link: "reachable",
    work: [],
    legs: [],
    routable: state === "ready",
    why: "",
    removed: false,
    queue_ids: [],
    ...more,
  };
}

describe("what stands out", () => {
  it("is somebody taken out of service, at once", () =>
    expect(alertOf(agent("break", 0, { reason: "rona" }), NOW)).toBe("rona"));
  it("is somebody who can not be reached, at once", () =>
    expect(alertOf(agent("unreachable", 0), NOW)).toBe("unreachable"));
  it.each([
    ["ringing", LIMITS.ringMs, "ring"],
    ["reserved", LIMITS.ringMs, "ring"],
    ["holding", LIMITS.holdMs, "hold"],
    ["wrap_up", LIMITS.wrapUpMs, "wrapUp"],
    ["talking", LIMITS.talkMs, "talk"],
    ["break", LIMITS.breakMs, "break"],
  ])("is %s for longer than its limit", (state, limit, alert) => {
    expect(alertOf(agent(state, limit), NOW)).toBeNull();
    expect(alertOf(agent(state, limit + 1), NOW)).toBe(alert);
  });
  it("is somebody ready to whom nothing is routed", () => {
    const more = { routable: false, why_not: "other_leg" };
    expect(alertOf(agent("ready", LIMITS.blockedMs + 1, more), NOW)).toBe("blocked");
    expect(alertOf(agent("ready", LIMITS.blockedMs, more), NOW)).toBeNull();
  });
  it("is not a rest between two contacts", () =>
    expect(
      alertOf(agent("ready", 99_999, { routable: false, why_not: "resting" }), NOW),
    ).toBeNull());
  it("is not somebody who waits for contacts, or is away for the day", () => {
    expect(alertOf(agent("ready", 9_999_999), NOW)).toBeNull();
    expect(alertOf(agent("signed_out", 9_999_999), NOW)).toBeNull();
  });
  it("comes at the instant that is told before", () => {
    for (const state of ["ringing", "holding", "wrap_up", "talking", "break"]) {
      const seen = agent(state, 0);
      expect(alertOf(seen, alertAt(seen) - 1)).toBeNull();
      expect(alertOf(seen, alertAt(seen))).not.toBeNull();
    }
    expect(alertAt(agent("signed_out", 0))).toBe(0);
  });
});

describe("the order", () => {
  it("puts who needs attention first, then who is busy, then who waits, then who is away", () => {
    const all = [
      agent("signed_out", 50),
      agent("ready", 50),
      agent("talking", 50),
      agent("wrap_up", LIMITS.wrapUpMs + 5, { name: "slow" }),
      agent("unreachable", 50),
      agent("break", 5, { name: "missed", reason: "rona" }),
      agent("ringing", LIMITS.ringMs + 5, { name: "deaf" }),
    ];
    expect(inOrder(all, NOW)).toEqual([
      "missed",
      "unreachable",
      "deaf",
      "slow",
      "talking",
      "ready",
      "signed_out",
    ]);
  });
  it("puts the longest first within a state, and is the same for the same", () => {
    const all = ["b", "a", "c"].map((name) => agent("ready", name === "c" ? 900 : 50, { name }));
    expect(inOrder(all, NOW)).toEqual(["c", "a", "b"]);
    expect(inOrder([...all].reverse(), NOW)).toEqual(["c", "a", "b"]);
  });
  it("knows a state of a newer release, and puts it last", () =>
    expect(inOrder([agent("dreaming", 5), agent("signed_out", 5)], NOW)).toEqual([
      "signed_out",
      "dreaming",
    ]));
});
