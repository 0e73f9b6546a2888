import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  isName,
  isUsername,
  rankOf,
  REASONS,
  reasonsOf,
  stateOf,
  sumOf,
  type Health,
} from "./health";

function health(state: string, reasons: string[] = [], suspended = false, id = "t"): Health {
  return {
    tenant: { tenant_id: id, caps: { max_users: 0, max_calls: 0, suspended } },
    users: 1,
    agents_signed_in: 0,
    waiting: 1,
    calls: 2,
    offered_today: "0",
    answered_today: "0",
    abandoned_today: "0",
    state,
    reasons,
  } as unknown as Health;
}

describe("how a tenant is doing", () => {
  it("is said by the worst first", () =>
    expect(reasonsOf(health("attention", ["no-number", "nobody-ready", "new-word"]))).toEqual([
      "nobody-ready",
      "no-number",
    ]));
  it("is suspended above all, and unknown when the word is new", () => {
    expect(stateOf(health("attention", ["suspended"], true))).toBe("suspended");
    expect(stateOf(health("splendid"))).toBe("unknown");
  });
  it("puts first who needs help first", () => {
    const all = [
      health("well"),
      health("attention", ["no-number"]),
      health("attention", ["at-call-cap"]),
      health("attention", ["suspended"], true),
      health("unknown"),
    ];
    const order = [...all].sort((one, other) => rankOf(one) - rankOf(other));
    expect(order.map((each) => all.indexOf(each))).toEqual([2, 1, 4, 0, 3]);
  });
  it("adds up", () =>
    expect(
      sumOf([
        health("well"),
        health("attention"),
        health("well", [], true),
        health("well", [], false, "platform"),
      ]),
    ).toEqual({ tenants: 3, attention: 1, suspended: 1, calls: 8, waiting: 4 }));
});

it("knows every reason of the contract", () => {
  const path = new URL("../../../../../protos/portal/v1/portal.proto", import.meta.url).pathname;
  const [, told = ""] =
    /Stable words for what asks for attention:([^.]*)\./.exec(readFileSync(path, "utf8")) ?? [];
  const words = told.replaceAll("//", "").match(/[a-z-]{4,}/g) ?? [];
  expect([...words].sort()).toEqual([...REASONS].sort());
});

it("knows names", () => {
  expect(["a", "harbour-2", "-a", "a--b", "A", "", "a".repeat(41)].map(isName)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(["ann.b@c", "ann b", ""].map(isUsername)).toEqual([true, false, false]);
});
