import { describe, expect, it } from "vitest";
import { browserIs, micFault } from "../phone/devices";
import { struck } from "../phone/tones";
import { HEARD_LEVEL, levelOf } from "./level";

const tone = (amplitude: number) =>
  Float32Array.from({ length: 1024 }, (_, at) => amplitude * Math.sin(at / 5));

describe("the level of a microphone", () => {
  it("is nothing for silence and whispers of the electronics", () => {
    expect(levelOf(new Float32Array(1024))).toBe(0);
    expect(levelOf(tone(0.0005))).toBe(0);
  });
  it("grows with loudness, and speech counts as heard", () => {
    expect(levelOf(tone(0.01))).toBeLessThan(levelOf(tone(0.1)));
    expect(levelOf(tone(0.05))).toBeGreaterThan(HEARD_LEVEL);
    expect(levelOf(tone(1))).toBeLessThanOrEqual(1);
  });
});

describe("the ring", () => {
  it("is heard and is never too loud for the loudspeaker", () => {
    const sound = struck([[659.3, 0, 0.5]], 1);
    const peak = Math.max(...sound.map(Math.abs));
    expect(peak).toBeGreaterThan(0.1);
    expect(peak).toBeLessThan(0.9);
    expect(sound.slice(-100).every((value) => value === 0)).toBe(true);
  });
});

describe("what is wrong with a microphone", () => {
  const fault = (name: string) => micFault(Object.assign(new Error("no"), { name }));
  it("is told in the words that people can act upon", () => {
    expect(fault("NotAllowedError")).toBe("denied");
    expect(fault("NotFoundError")).toBe("missing");
    expect(fault("NotReadableError")).toBe("busy");
    expect(micFault(new TypeError("no https"))).toBe("insecure");
    expect(micFault("?")).toBe("failed");
  });
  it("is explained for the browser at hand", () => {
    expect(browserIs("Mozilla/5.0 Gecko/20100101 Firefox/140.0")).toBe("firefox");
    expect(browserIs("Mozilla/5.0 AppleWebKit/605 Version/18 Safari/605")).toBe("safari");
    expect(browserIs("Mozilla/5.0 Chrome/150 Safari/537 Edg/150")).toBe("chromium");
  });
});
