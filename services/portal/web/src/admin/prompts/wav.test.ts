import { expect, it } from "vitest";
import { faultOf, wav } from "./wav";

it("writes mono 16-bit sound", () => {
  const view = new DataView(wav(Float32Array.from([0, 1, -1, 2]), 16_000));
  expect(view.byteLength).toBe(52);
  expect(view.getUint32(24, true)).toBe(16_000);
  expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([
    0, 32_767, -32_767, 32_767,
  ]);
});

it("takes what it writes, and nothing else", () => {
  expect(faultOf(wav(new Float32Array(160), 16_000))).toBeNull();
  expect(faultOf(new ArrayBuffer(100))).toBe("notWav");
  expect(faultOf(new ArrayBuffer(11 * 1024 * 1024))).toBe("tooLarge");
  expect(faultOf(wav(new Float32Array(8_000 * 301), 8_000))).toBe("tooLong");
  expect(faultOf(wav(new Float32Array(10), 96_000))).toBe("form");
});
