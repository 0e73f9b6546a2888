import { describe, expect, it } from "vitest";
import { looksLikeNumber, targetOf } from "./targets";

describe("what was typed for a transfer", () => {
  it("is a number when it can be nothing else", () => {
    for (const typed of ["+1 202-555-0100", "(0721) 123 456", "112"])
      expect(looksLikeNumber(typed), typed).toBe(true);
    for (const typed of ["", "sales", "2nd line", "+", "12"])
      expect(looksLikeNumber(typed), typed).toBe(false);
  });
});

describe("the target", () => {
  it("is what was chosen, else the number", () => {
    expect(targetOf("queue:sales", "")).toEqual({ queue_id: "sales" });
    expect(targetOf("agent:0199:x", "")).toEqual({ agent_id: "0199:x" });
    expect(targetOf("", "+12025550100")).toEqual({ number: "+12025550100" });
    expect(targetOf("", "")).toBeNull();
  });
});
