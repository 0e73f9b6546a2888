import { describe, expect, it } from "vitest";
import type { AgentView } from "@/api/types";
import en from "@/i18n/en/desk.json";
import { hintOf } from "./routable";

const agent = (changes: Partial<AgentView> = {}): AgentView =>
  ({ routable: false, work: [], queue_ids: ["sales"], ...changes }) as unknown as AgentView;

describe("why no calls come", () => {
  it("is nothing when they do", () => {
    expect(hintOf(agent({ routable: true }), true)).toBeNull();
  });
  it("is the contact in hand, which needs no words", () => {
    const work = [{}] as AgentView["work"];
    expect(hintOf(agent({ why_not: "at_capacity", work }), true)).toBeNull();
  });
  it("offers Ready to whom that helps", () => {
    for (const why_not of ["signed_out", "on_break", "rona"])
      expect(hintOf(agent({ why_not }), true)).toMatchObject({ code: why_not, offer: "ready" });
  });
  it("tells a tab that was not checked from one whose connection is away", () => {
    expect(hintOf(agent({ why_not: "unreachable" }), false)?.code).toBe("unchecked");
    expect(hintOf(agent({ why_not: "unreachable" }), true)?.code).toBe("unreachable");
  });
  it("says when calls ring elsewhere", () => {
    expect(hintOf(agent({ routable: true }), false)).toMatchObject({
      code: "elsewhere",
      calm: true,
    });
  });
  it("says that somebody has to give the agent a queue", () => {
    expect(hintOf(agent({ routable: true, queue_ids: [] }), true)?.code).toBe("no_queues");
  });
  it("has words for every reason, also for one that it does not know", () => {
    expect(hintOf(agent({ why_not: "moon_phase" }), true)?.code).toBe("other");
    for (const why_not of ["lacks_skill", "resting", "pair_excluded", "last_rung", "other_leg"]) {
      const hint = hintOf(agent({ why_not }), true);
      expect(en.why[hint?.code ?? "other"].do, why_not).toBeTruthy();
    }
  });
});
