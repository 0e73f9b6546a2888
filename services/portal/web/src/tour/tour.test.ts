import { describe, expect, it } from "vitest";
import { close, keep, progress, wasSeen } from "./kept";
import { follow, giveUp, PLACED, type Row } from "./progress";
import { guestOf, PLACES, STEPS } from "./steps";

const at = (work: string): Row => ({ contact_id: "c1", work, stage: "" });

describe("the tour", () => {
  it("has five steps for everybody", () => {
    for (const steps of Object.values(STEPS)) expect(steps).toHaveLength(5);
    for (const place of Object.values(PLACES)) expect(place.path).toMatch(/^\//);
  });
  it("knows whose it is", () => {
    expect(guestOf(["administrator", "platform"])).toBe("platform");
    expect(guestOf(["supervisor", "agent"])).toBe("agent");
    expect(guestOf(["supervisor", "administrator"])).toBe("administrator");
    expect(guestOf(["supervisor"])).toBe("supervisor");
    expect(guestOf([])).toBe("agent");
  });
});

/** A browser's storage, in short. */
function storage(): Storage {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  } as unknown as Storage;
}

describe("what is remembered of a tour", () => {
  it("is the step and the call until it is closed, for each user", () => {
    const [tab, browser] = [storage(), storage()];
    expect(progress("anna", tab)).toBeNull();
    expect(wasSeen("anna", browser)).toBe(false);
    keep("anna", { step: 3 }, tab);
    keep("anna", { call: { call_id: "c1", speaks: "tone" } }, tab);
    expect(progress("anna", tab)).toEqual({ step: 3, call: { call_id: "c1", speaks: "tone" } });
    expect(progress("ben", tab)).toBeNull();
    close("anna", tab, browser);
    expect(progress("anna", tab)).toBeNull();
    expect(wasSeen("anna", browser)).toBe(true);
    expect(wasSeen("ben", browser)).toBe(false);
  });
});

describe("a test call", () => {
  it("goes from the queue to the end", () => {
    let now = follow(PLACED, "c1", [], false);
    expect(now).toEqual(PLACED);
    now = follow(now, "c1", [{ ...at("talking"), contact_id: "other" }], true);
    expect(now.phase).toBe("waiting");
    now = follow(now, "c1", [], false);
    expect(now.phase).toBe("waiting");
    for (const [work, phase] of [
      ["reserved", "ringing"],
      ["ringing", "ringing"],
      ["talking", "talking"],
      ["holding", "talking"],
      ["wrap_up", "wrap_up"],
    ] as const) {
      now = follow(now, "c1", [at(work)], false);
      expect(now.phase).toBe(phase);
    }
    now = follow(now, "c1", [], false);
    expect(now.phase).toBe("over");
    expect(follow(now, "c1", [at("talking")], false).phase).toBe("over");
  });
  it("is lost when it is gone before anybody answered", () => {
    const rang = follow(PLACED, "c1", [at("ringing")], false);
    expect(giveUp(rang).lost).toBe(true);
    expect(giveUp(PLACED).lost).toBe(false);
    expect(giveUp(follow(rang, "c1", [at("talking")], false)).lost).toBe(false);
  });
});
