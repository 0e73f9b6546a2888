import { expect, it } from "vitest";
import { contactsBehind } from "./links";

it("names what is behind a figure", () => {
  expect(contactsBehind({ fromMs: 1.5, toMs: 9, queue: "a b", kpi: "service_level" })).toBe(
    "/contacts?behind=service_level&from=1&to=9&queue=a+b",
  );
});

it("leaves out what is not asked for", () =>
  expect(contactsBehind({ fromMs: 1, toMs: 9 })).toBe("/contacts?from=1&to=9"));

it("names an agent, a denominator and exits", () => {
  const found = new URL(
    contactsBehind({ fromMs: 1, toMs: 9, agent: "x", denominator: true, exits: ["a", "b"] }),
    "http://here",
  ).searchParams;
  expect([found.get("agent"), found.get("denominator"), found.get("exits")]).toEqual([
    "x",
    "1",
    "a,b",
  ]);
});
