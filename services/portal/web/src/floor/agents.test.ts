import { describe, expect, it } from "vitest";
import type { AgentView } from "@/api/types";
import { EVERYBODY, inHand, isShown, same } from "./agents";

const ada = {
  name: "Ada Byron",
  state: "talking",
  since_ms: "0",
  queue_ids: ["sales"],
  work: [],
} as unknown as AgentView;

describe("the filter", () => {
  const shown = (part: Partial<typeof EVERYBODY>, now = 5) =>
    isShown(ada, { ...EVERYBODY, ...part }, now);
  it("shows everybody at first", () => expect(shown({})).toBe(true));
  it("finds parts of names, whatever the case", () => {
    expect(shown({ words: " BYR" })).toBe(true);
    expect(shown({ words: "bob" })).toBe(false);
  });
  it("knows queues and states", () => {
    expect(shown({ queue: "sales" })).toBe(true);
    expect(shown({ queue: "help" })).toBe(false);
    expect(shown({ state: "talking" })).toBe(true);
    expect(shown({ state: "working" })).toBe(true);
    expect(shown({ state: "away" })).toBe(false);
    expect(shown({ state: "ready" })).toBe(false);
  });
  it("shows who needs attention", () => {
    expect(shown({ state: "attention" })).toBe(false);
    expect(shown({ state: "attention" }, 9_000_000)).toBe(true);
  });
});

it("compares lists", () => {
  expect(same(["a", "b"], ["a", "b"])).toBe(true);
  expect(same(["a", "b"], ["b", "a"])).toBe(false);
  expect(same(["a"], ["a", "b"])).toBe(false);
});

it("takes the contact that is talked to before the one in wrap-up", () => {
  const work = [{ work: "wrap_up" }, { work: "talking" }] as AgentView["work"];
  expect(inHand({ ...ada, work })?.work).toBe("talking");
  expect(inHand(ada)).toBeNull();
});
