import { expect, it } from "vitest";
import { look, POINTS, points, SPAN_MS, stretches, type Seen } from "./history";

const NOW = 1_800_000_000_000;
const NOTHING: Seen = new Map();

it("keeps the worst of each part", () => {
  let seen = look(NOTHING, 2, NOW);
  seen = look(seen, 7, NOW + 2_000);
  seen = look(seen, 1, NOW + 4_000);
  expect(points(seen, NOW + 4_000).at(-1)).toBe(7);
});

it("stays as it is when nothing new is seen, so that nothing is drawn anew", () => {
  const seen = look(NOTHING, 0, NOW);
  expect(seen.size).toBe(1);
  expect(look(seen, 0, NOW + 2_000)).toBe(seen);
  expect(look(seen, 1, NOW + 2_000)).not.toBe(seen);
});

it("forgets what is older than it shows", () => {
  const seen = look(look(NOTHING, 9, NOW), 1, NOW + SPAN_MS);
  expect(points(seen, NOW + SPAN_MS).filter((value) => value !== null)).toEqual([1]);
  expect(seen.size).toBe(1);
});

it("leaves a hole where nobody looked", () => {
  const seen = look(look(NOTHING, 4, NOW), 5, NOW + 60_000);
  const line = points(seen, NOW + 60_000);
  expect(line).toHaveLength(POINTS);
  expect(stretches(line)).toEqual([
    { from: POINTS - 5, values: [4] },
    { from: POINTS - 1, values: [5] },
  ]);
});

it("joins what has no hole", () => {
  expect(stretches([null, 1, 2, null, 3])).toEqual([
    { from: 1, values: [1, 2] },
    { from: 4, values: [3] },
  ]);
  expect(stretches([null, null])).toEqual([]);
});
