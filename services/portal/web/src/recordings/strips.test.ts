import { describe, expect, it } from "vitest";
import { marksOf, stripsOf, type RecordingView } from "./strips";

const BEGIN = 1_000_000;
const at = (atMs: number) => String(BEGIN + atMs);

function recording(parts: Partial<RecordingView>): RecordingView {
  return {
    started_at_ms: String(BEGIN),
    markers: [],
    pauses: [],
    gaps: [],
    played: [],
    ...parts,
  } as unknown as RecordingView;
}

describe("marks", () => {
  it("are told on the sound's own time, in order", () => {
    const marks = marksOf(
      recording({
        markers: [
          { kind: "hold", from_ms: at(4_000), to_ms: at(6_000), leg_id: "", count: 0 },
          { kind: "keys", from_ms: at(1_000), to_ms: at(1_500), leg_id: "", count: 3 },
        ],
      }),
      10_000,
    );
    expect(marks.map((mark) => [mark.kind, mark.fromMs, mark.toMs, mark.count])).toEqual([
      ["keys", 1_000, 1_500, 3],
      ["hold", 4_000, 6_000, 0],
    ]);
  });
  it("without an end last to the sound's end, except instants", () => {
    const marks = marksOf(
      recording({
        markers: [
          { kind: "mute", from_ms: at(2_000), to_ms: "0", leg_id: "", count: 0 },
          { kind: "transfer", from_ms: at(3_000), to_ms: "0", leg_id: "", count: 0 },
        ],
        pauses: [{ from_ms: at(5_000), to_ms: "0", reason: "card", by: "anna" }],
      }),
      10_000,
    );
    expect(marks.map((mark) => mark.toMs)).toEqual([10_000, 3_000, 10_000]);
    expect(marks[2]?.reason).toBe("card");
  });
  it("never stand outside the sound", () => {
    const gap = { track_id: "t", from_ms: at(-5_000), to_ms: at(99_000), reason: "disk-full" };
    expect(marksOf(recording({ gaps: [gap] }), 10_000)).toMatchObject([
      { kind: "gap", fromMs: 0, toMs: 10_000 },
    ]);
  });
  it("tell music from prompts", () => {
    const played = { leg_id: "1", from_ms: at(0), to_ms: at(1), loop: false };
    const marks = marksOf(
      recording({
        played: [
          { ...played, prompts: ["music"], loop: true },
          { ...played, prompts: ["5cb9"] },
        ],
      }),
      10_000,
    );
    expect(marks.map((mark) => mark.reason)).toEqual(["music", ""]);
  });
  it("of kinds that nobody knows are left out", () => {
    const marker = { kind: "sneeze", from_ms: at(1), to_ms: "0", leg_id: "", count: 0 };
    expect(marksOf(recording({ markers: [marker] }), 10_000)).toEqual([]);
  });
});

describe("strips", () => {
  it("are there only for what there is, always in the same order", () => {
    const marks = marksOf(
      recording({
        pauses: [{ from_ms: at(1), to_ms: at(2), reason: "", by: "" }],
        markers: [{ kind: "hold", from_ms: at(5), to_ms: at(6), leg_id: "", count: 0 }],
      }),
      10_000,
    );
    expect(stripsOf(marks).map((strip) => strip.kind)).toEqual(["hold", "pause"]);
  });
});
