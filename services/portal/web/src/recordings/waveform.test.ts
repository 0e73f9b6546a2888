import { describe, expect, it } from "vitest";
import { bars, bytesOf, marks } from "./waveform";

describe("a waveform's bytes", () => {
  it("are those that the server sent", () =>
    expect([...bytesOf("AAEC/v8=")]).toEqual([0, 1, 2, 254, 255]));
  it("are none where there is nothing, or nothing that can be read", () => {
    expect(bytesOf("")).toHaveLength(0);
    expect(bytesOf("not base64!")).toHaveLength(0);
  });
});

describe("bars", () => {
  it("show the loudest of what they cover", () =>
    expect(bars(new Uint8Array([0, 255, 0, 0]), 2)).toEqual([1, 0]));
  it("are as many as there is room for, also when columns are fewer", () =>
    expect(bars(new Uint8Array([255, 0]), 4)).toEqual([1, 1, 0, 0]));
  it("leave no column out", () => {
    for (let place = 0; place < 10; place += 1) {
      const levels = new Uint8Array(10);
      levels[place] = 255;
      expect(Math.max(...bars(levels, 3)), `column ${place}`).toBe(1);
    }
  });
  it("stay at nothing without a waveform", () => expect(bars(new Uint8Array(), 5)).toEqual([]));
});

describe("the marks of the axis", () => {
  it("stand at lengths that people read easily", () => {
    expect(marks(61_000, 8)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
    expect(marks(3_600_000, 6)).toEqual([0, 900_000, 1_800_000, 2_700_000, 3_600_000]);
  });
  it("are never more than asked for, and one when there is no length", () => {
    for (const length of [1, 999, 12_345, 600_000, 40_000_000])
      expect(marks(length, 7).length).toBeLessThanOrEqual(8);
    expect(marks(0, 7)).toEqual([0]);
  });
});
