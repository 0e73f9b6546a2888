import { describe, expect, it } from "vitest";
import {
  decide,
  lineLost,
  lineOn,
  NOTHING,
  notTold,
  wakeAt,
  wanted,
  type State,
  type Work,
} from "./decide";

const work = (changes: Partial<Work> = {}): Work => ({
  id: "entry.1",
  stage: "ringing",
  work: "ringing",
  channel: "voice",
  ...changes,
});
const bridged = work({ stage: "bridged", work: "talking" });
const seen = (...works: Work[]) => ({ softphone: true, works });
const acts = (state: State, works: Work[], now = 0) =>
  decide(state, seen(...works), now).acts.map((each) => `${each.act} ${each.id}`);

describe("a contact that rings", () => {
  it("is told, heard and connected while it rings", () => {
    expect(acts(NOTHING, [work({ stage: "reserved", work: "reserved" })])).toEqual([
      "ring entry.1",
      "tell entry.1",
      "open entry.1",
    ]);
  });
  it("is told once", () => {
    const { state } = decide(NOTHING, seen(work()), 0);
    expect(acts(state, [work()])).toEqual(["ring entry.1"]);
  });
  it("is told again when the telling failed", () => {
    const { state } = decide(NOTHING, seen(work()), 0);
    expect(acts(notTold(state, "entry.1"), [work()])).toContain("tell entry.1");
  });
  it("is none of a page that only looks on", () => {
    expect(decide(NOTHING, { softphone: false, works: [work(), bridged] }, 0).acts).toEqual([]);
  });
  it("falls silent once it is accepted, and its line stays", () => {
    const { state } = decide(NOTHING, seen(work()), 0);
    expect(acts(lineOn(state, "entry.1"), [work({ stage: "connecting" })])).toEqual([]);
  });
  it("on another channel needs no line", () => {
    expect(acts(NOTHING, [work({ channel: "chat" })])).toEqual(["ring entry.1", "tell entry.1"]);
  });
});

describe("the line", () => {
  it("is closed when the contact is gone, and when it is wrapped up", () => {
    const { state } = decide(NOTHING, seen(bridged), 0);
    expect(acts(state, [])).toEqual(["close entry.1"]);
    expect(acts(state, [work({ stage: "ended", work: "wrap_up" })])).toEqual(["close entry.1"]);
  });
  it("is opened at once after a reload in mid-call", () => {
    expect(acts(NOTHING, [bridged])).toEqual(["open entry.1"]);
  });
  it("is given to the contact that is talked to", () => {
    expect(wanted(seen(work({ id: "b.1" }), bridged))?.id).toBe("entry.1");
  });
  it("moves to the next contact", () => {
    const { state } = decide(NOTHING, seen(bridged), 0);
    expect(acts(state, [work({ id: "b.1" })])).toEqual([
      "ring b.1",
      "tell b.1",
      "close entry.1",
      "open b.1",
    ]);
  });
  it("is closed when another tab takes the calls", () => {
    const { state } = decide(NOTHING, seen(bridged), 0);
    const { acts: done } = decide(state, { softphone: false, works: [bridged] }, 0);
    expect(done).toEqual([{ act: "close", id: "entry.1" }]);
  });
});

describe("a line that was lost", () => {
  const on = lineOn(decide(NOTHING, seen(bridged), 0).state, "entry.1");
  it("is opened again, later and later", () => {
    let state = on;
    let now = 0;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      state = lineLost(state, "entry.1", now);
      expect(acts(state, [bridged], now)).toEqual([]);
      const wake = wakeAt(state) ?? Number.NaN;
      waits.push(wake - now);
      now = wake;
      const next = decide(state, seen(bridged), now);
      expect(next.acts).toEqual([{ act: "open", id: "entry.1" }]);
      state = next.state;
    }
    expect(waits).toEqual([300, 1_000, 2_000, 4_000, 4_000, 4_000]);
  });
  it("begins anew once it was on", () => {
    const twice = lineLost(lineOn(lineLost(on, "entry.1", 0), "entry.1"), "entry.1", 10_000);
    expect(wakeAt(twice)).toBe(10_300);
  });
  it("of a former contact changes nothing", () => {
    expect(lineLost(on, "other.1", 5)).toBe(on);
    expect(lineOn(on, "other.1")).toBe(on);
  });
});
