import { describe, expect, it } from "vitest";
import { diff, folded, type Line } from "./diff";

const short = (lines: Line[]) =>
  lines.map(({ kind, text }) => ({ same: " ", old: "-", new: "+", fold: "…" })[kind] + text);

describe("what changed", () => {
  it("is nothing between the same", () =>
    expect(short(diff("a\nb", "a\nb"))).toEqual([" a", " b"]));
  it("is few lines", () => {
    const lines = diff("a\nb\nc\nd\ne", "a\nc\nx\nd\ne");
    expect(short(lines)).toEqual([" a", "-b", " c", "+x", " d", " e"]);
    expect(lines.map((line) => [line.before, line.after])).toEqual([
      [1, 1],
      [2, 0],
      [3, 2],
      [0, 3],
      [4, 4],
      [5, 5],
    ]);
  });
  it("is everything when nothing is left", () =>
    expect(short(diff("a\nb", "c"))).toEqual(["-a", "-b", "+c"]));
  it("is replaced as a whole when there is too much of it", () => {
    const old = Array.from({ length: 2100 }, (_, at) => `a${at}`).join("\n");
    const lines = diff(old, old.replaceAll("a", "b"));
    expect(lines).toHaveLength(4200);
    expect(lines[0]?.kind).toBe("old");
    expect(lines[4199]?.kind).toBe("new");
  });
  it("folds what is far from it", () => {
    const old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
    expect(short(folded(diff(old, old.replace("5", "five")), 1))).toEqual([
      "…3",
      " 4",
      "-5",
      "+five",
      " 6",
      "…3",
    ]);
  });
});
