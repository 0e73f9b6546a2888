import { describe, expect, it } from "vitest";
import { instantOf, storyOf, wayOf, type Step } from "./story";

const step = (node: string, kind: string, values: Record<string, string> = {}, at = 0): Step => ({
  node,
  kind,
  values,
  at_ms: String(at),
});

const STEPS = [
  step("menu", "enter"),
  step("menu", "say", { text: "Press 1.", language: "en-us" }),
  step("menu", "ask", { max_digits: "1" }, 900),
  step("menu", "keyed", { digits: "1" }, 1900),
  step("sales", "enter", {}, 1900),
  step("sales", "queue", { queue: "sales", state: "joined" }, 1900),
  step("sales", "play", { sound: "music" }, 1900),
  step("sales", "say", { text: "You are number 1.", language: "en-us" }, 2900),
  step("sales", "play", { sound: "music" }, 4000),
  step("sales", "agent", { state: "rings" }, 4000),
  step("sales", "queue", { queue: "sales", exit: "timeout" }, 9000),
  step("end", "enter", {}, 9000),
  step("end", "end", { reason: "flow-ended", termination: "success" }, 9000),
];

describe("the story of an imagined call", () => {
  it("has who says and does what, and music once", () =>
    expect(storyOf(STEPS).map(({ side, kind }) => `${side} ${kind}`)).toEqual([
      "flow say",
      "caller keyed",
      "note queue.joined",
      "flow play.sound",
      "flow say",
      "note agent.rings",
      "note queue.exit",
      "note end",
    ]));
  it("tells consent and outcomes apart", () =>
    expect(
      storyOf([
        step("a", "set", { recording: "yes", basis: "announced" }),
        step("a", "set", { wish: "x" }),
        step("b", "dial", { to: "+12025550100" }),
        step("b", "dial", { to: "+12025550100", outcome: "busy" }),
        step("b", "hang-up", { by: "caller" }),
      ]).map(({ kind }) => kind),
    ).toEqual(["recording.yes", "set", "dial.rings", "dial.outcome", "hangUp"]));
  it("has the way that it took", () => {
    const way = wayOf(STEPS);
    expect([...way.nodes]).toEqual(["menu", "sales", "end"]);
    expect([...way.edges]).toEqual(["menu\nsales", "sales\nend"]);
    expect(way.last).toBe("end");
  });
});

it("reads the time on the wall of a zone", () => {
  expect(instantOf("2026-07-01T12:00", "Europe/Bucharest")).toBe(Date.UTC(2026, 6, 1, 9));
  expect(instantOf("2026-12-01T12:00", "Europe/Bucharest")).toBe(Date.UTC(2026, 11, 1, 10));
  expect(instantOf("", "UTC")).toBe(0);
});
