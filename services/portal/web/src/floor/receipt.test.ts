import { describe, expect, it } from "vitest";
import type { Receipt } from "@/api/types";
import { byReason, exprInWords, nextSteps, verdict, type Expr, type ExprWords } from "./receipt";

const words: ExprWords = {
  any: "anybody",
  skill: (name, comparison, level) => `${name} ${comparison} ${level}`,
  attribute: (name, equal, value) => `${name} ${equal ? "is" : "is not"} ${value}`,
  agent: (id) => `@${id}`,
  and: " and ",
  or: " or ",
  not: (inside) => `not ${inside}`,
  group: (inside) => `(${inside})`,
};

function expr(kind: string, more: Partial<Expr> = {}): Expr {
  return { kind, name: "", value: "", of: [], ...more };
}

function receipt(more: Partial<Receipt>): Receipt {
  return {
    candidates: [],
    exclusions: [],
    candidate_count: "0",
    qualified_count: "0",
    excluded_count: "0",
    blocked: "",
    ...more,
  } as Receipt;
}

describe("a condition", () => {
  const english = expr("skill", { name: "english", comparison: "ge", level: "5" });
  const berlin = expr("attribute", { name: "site", comparison: "eq", value: "berlin" });
  it("is anybody where there is none", () => {
    expect(exprInWords(undefined, words)).toBe("anybody");
    expect(exprInWords(expr("any"), words)).toBe("anybody");
  });
  it("names skills, attributes and agents", () => {
    expect(exprInWords(english, words)).toBe("english ge 5");
    expect(exprInWords(berlin, words)).toBe("site is berlin");
    expect(exprInWords({ ...berlin, comparison: "ne" }, words)).toBe("site is not berlin");
    expect(exprInWords(expr("agent", { value: "ada" }), words)).toBe("@ada");
  });
  it("shows what belongs together", () => {
    const either = expr("or", { of: [berlin, expr("agent", { value: "ada" })] });
    expect(exprInWords(either, words)).toBe("site is berlin or @ada");
    expect(exprInWords(expr("and", { of: [english, either] }), words)).toBe(
      "english ge 5 and (site is berlin or @ada)",
    );
    expect(exprInWords(expr("and", { of: [english] }), words)).toBe("english ge 5");
    expect(exprInWords(expr("not", { of: [either] }), words)).toBe("not site is berlin or @ada");
  });
});

describe("the verdict", () => {
  it("tells what holds the caller up", () => {
    expect(verdict(receipt({ blocked: "reserved" }))).toBe("reserved");
    expect(verdict(receipt({ blocked: "detached" }))).toBe("detached");
    expect(verdict(receipt({}))).toBe("empty");
    expect(verdict(receipt({ excluded_count: "3" }))).toBe("nobodyFits");
    expect(verdict(receipt({ excluded_count: "3", qualified_count: "2" }))).toBe("nobodyFree");
    const exclusions = [
      { agent_id: "a", reason: "signed_out" },
      { agent_id: "b", reason: "lacks_skill" },
    ];
    const home = { exclusions, excluded_count: "2", qualified_count: "1" };
    expect(verdict(receipt(home))).toBe("nobodyIn");
    expect(verdict(receipt({ candidate_count: "1", qualified_count: "2" }))).toBe("soon");
  });
});

it("groups who is passed over, those who could never take it last", () => {
  const exclusions = [
    { agent_id: "a", reason: "lacks_skill" },
    { agent_id: "b", reason: "lacks_skill" },
    { agent_id: "c", reason: "on_break" },
    { agent_id: "d", reason: "at_capacity" },
    { agent_id: "e", reason: "at_capacity" },
  ];
  const { groups, unlisted } = byReason(receipt({ exclusions, excluded_count: "9" }));
  expect(groups.map((group) => [group.reason, group.agentIds.join("")])).toEqual([
    ["at_capacity", "de"],
    ["on_break", "c"],
    ["lacks_skill", "ab"],
  ]);
  expect(unlisted).toBe(4);
});

it("tells what comes by itself, the soonest first", () => {
  expect(nextSteps(receipt({ step_until_ms: "9", timeout_at_ms: "5" }))).toEqual([
    { kind: "timeout", atMs: 5 },
    { kind: "step", atMs: 9 },
  ]);
  expect(nextSteps(receipt({}))).toEqual([]);
});
