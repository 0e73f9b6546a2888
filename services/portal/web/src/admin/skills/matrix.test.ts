import { describe, expect, it } from "vitest";
import {
  cellKey,
  changedAgents,
  copied,
  did,
  filled,
  filledDown,
  matrixOf,
  ordered,
  pasted,
  readLevel,
  redid,
  renamed,
  skillsOf,
  undid,
  withoutSkill,
  withSkill,
} from "./matrix";

const AGENTS = ["ann", "ben", "cy"];
const FIRST = matrixOf([
  {
    agent_id: "ann",
    skills: [
      { name: "english", level: "9" },
      { name: "returns", level: "6" },
    ],
  },
  { agent_id: "ben", skills: [{ name: "english", level: "7" }] },
  { agent_id: "cy", skills: [] },
]);
const at = (agent: string, skill: string, matrix = FIRST) =>
  matrix.cells.get(cellKey(agent, skill));
const WHOLE = { fromRow: 0, toRow: 2, fromColumn: 0, toColumn: 1 };

it("reads levels", () => {
  expect([" 10 ", "1", "", "0"].map(readLevel)).toEqual([10, 1, null, null]);
  expect(["11", "x", "1.5"].map(readLevel)).toEqual([undefined, undefined, undefined]);
});

describe("ranges", () => {
  it("are copied as a spreadsheet takes them", () => {
    expect(copied(FIRST, AGENTS, WHOLE)).toBe("9\t6\n7\t\n\t");
  });
  it("are pasted from a spreadsheet, and what does not fit is counted", () => {
    const start = ordered({ row: 1, column: 0 }, { row: 1, column: 0 });
    const { matrix, refused } = pasted(FIRST, AGENTS, start, "1\t2\r\n\t99\r\n5\t5\r\n");
    expect(at("ben", "english", matrix)).toBe(1);
    expect(at("ben", "returns", matrix)).toBe(2);
    expect(at("cy", "english", matrix)).toBeUndefined();
    expect(refused).toBe(3);
    expect(at("ben", "english")).toBe(7);
  });
  it("take one value everywhere", () => {
    expect(copied(pasted(FIRST, AGENTS, WHOLE, "4").matrix, AGENTS, WHOLE)).toBe(
      "4\t4\n4\t4\n4\t4",
    );
    expect(copied(filled(FIRST, AGENTS, WHOLE, null), AGENTS, WHOLE)).toBe("\t\n\t\n\t");
  });
  it("are filled down from their first row", () => {
    expect(copied(filledDown(FIRST, AGENTS, WHOLE), AGENTS, WHOLE)).toBe("9\t6\n9\t6\n9\t6");
  });
});

describe("columns", () => {
  it("are added, renamed and removed", () => {
    expect(withSkill(FIRST, "english")).toBeNull();
    expect(withSkill(FIRST, "vip")?.skills).toEqual(["english", "returns", "vip"]);
    const next = renamed(FIRST, "english", "spoken english");
    expect(next && at("ann", "spoken english", next)).toBe(9);
    expect(renamed(FIRST, "english", "returns")).toBeNull();
    expect(skillsOf(withoutSkill(FIRST, "english"), "ann")).toEqual([
      { name: "returns", level: 6 },
    ]);
  });
});

it("knows who was changed", () => {
  const next = filled(FIRST, AGENTS, ordered({ row: 1, column: 0 }, { row: 1, column: 0 }), 8);
  expect(changedAgents(next, FIRST, AGENTS)).toEqual(["ben"]);
  expect(changedAgents(withoutSkill(FIRST, "returns"), FIRST, AGENTS)).toEqual(["ann"]);
  expect(
    changedAgents(
      filled(next, AGENTS, ordered({ row: 1, column: 0 }, { row: 1, column: 0 }), 7),
      FIRST,
      AGENTS,
    ),
  ).toEqual([]);
});

it("takes back, and does again", () => {
  const next = filled(FIRST, AGENTS, WHOLE, 1);
  const history = did({ now: FIRST, past: [], future: [] }, next);
  expect(undid(history).now).toBe(FIRST);
  expect(redid(undid(history)).now).toBe(next);
  expect(redid(history)).toBe(history);
  expect(undid({ now: FIRST, past: [], future: [] }).now).toBe(FIRST);
  expect(did(undid(history), FIRST).future).toHaveLength(1);
});
