import { expect, it } from "vitest";
import type { AgentView } from "@/api/types";
import { faultOf, MOST, servedBy } from "./moving";

it("says what speaks against a move", () => {
  expect(faultOf(["a"], [], [])).toBe("nothing");
  expect(faultOf(["a"], ["x"], ["x", "y"])).toBe("both");
  expect(faultOf(Array<string>(MOST + 1).fill("a"), ["x"], [])).toBe("tooMany");
  expect(faultOf(["a"], ["x"], ["y"])).toBeNull();
  expect(faultOf(["a"], [], ["y"])).toBeNull();
  expect(faultOf(["a"], ["x"], [])).toBeNull();
});

it("counts who serves which queue", () => {
  const agents = [{ queue_ids: ["x", "y"] }, { queue_ids: ["x"] }] as AgentView[];
  expect([...servedBy(agents)]).toEqual([
    ["x", 2],
    ["y", 1],
  ]);
});
