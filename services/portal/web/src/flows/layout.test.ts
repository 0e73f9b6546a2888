import { describe, expect, it } from "vitest";
import { layersOf, layOut, spread, type Box } from "./layout";

function box(id: string, ...to: string[]): Box {
  return {
    id,
    width: 100,
    height: 50,
    ports: to.map((each, at) => ({ to: each, x: 10 + at * 20 })),
  };
}

const FLOW = [
  box("start", "menu"),
  box("menu", "sales", "support", "menu", "end"),
  box("sales", "end"),
  box("support", "busy", "menu"),
  box("busy", "end"),
  box("end"),
  box("lost"),
];

describe("a drawing", () => {
  it("has layers by the longest way, and knows what goes up", () => {
    const { layer, back } = layersOf(FLOW, "start");
    expect(Object.fromEntries(layer)).toEqual({
      start: 0,
      menu: 1,
      sales: 2,
      support: 2,
      busy: 3,
      end: 4,
      lost: 0,
    });
    expect([...back].sort()).toEqual(["menu\nmenu", "support\nmenu"]);
  });
  it("draws every edge, and no box over another", () => {
    const { boxes, edges, width, height } = layOut(FLOW, "start");
    expect(edges).toHaveLength(9);
    for (const one of boxes.values()) {
      expect(one.x).toBeGreaterThanOrEqual(0);
      expect(one.x + 100).toBeLessThanOrEqual(width);
      expect(one.y + 50).toBeLessThanOrEqual(height);
      for (const other of boxes.values())
        if (one.id < other.id && one.y === other.y)
          expect(Math.abs(one.x - other.x)).toBeGreaterThanOrEqual(100);
    }
  });
  it("leaves out ways to what is not there, and stands without a start", () => {
    const { boxes, edges } = layOut([box("one", "none", "two"), box("two")], "missing");
    expect(boxes.size).toBe(2);
    expect(edges.map((edge) => [edge.from, edge.to])).toEqual([["one", "two"]]);
  });
  it("is the same each time, and none for no boxes", () => {
    expect(layOut(FLOW, "start")).toEqual(layOut(FLOW, "start"));
    expect(layOut([], "start").edges).toEqual([]);
  });
});

it("spreads what wants the same place, and leaves alone what has room", () => {
  expect(spread([0, 0], [100, 100], 20)).toEqual([-60, 60]);
  expect(spread([0, 500], [100, 100], 20)).toEqual([0, 500]);
});
