import { describe, expect, it } from "vitest";
import { judge, sampleOf, type Sample } from "./quality";

/** Ten seconds of readings at 50 packets a second, changed at will. */
function readings(change: (second: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 10 }, (_, second) => ({
    atMs: second * 1000,
    received: second * 50,
    lost: 0,
    jitterMs: 2,
    rttMs: 20,
    sent: second * 50,
    missed: 0,
    ...change(second),
  }));
}

describe("the quality of a call", () => {
  it("is not known before there are two readings", () => {
    expect(judge([]).rating).toBe("unknown");
    expect(judge(readings().slice(0, 1)).rating).toBe("unknown");
  });
  it("is good when nothing is amiss", () => expect(judge(readings()).rating).toBe("good"));
  it("is fair, then poor, with packets that do not come", () => {
    expect(judge(readings((second) => ({ lost: second }))).rating).toBe("fair");
    expect(judge(readings((second) => ({ lost: second * 5 }))).rating).toBe("poor");
  });
  it("is poor when the other side misses packets", () => {
    expect(judge(readings(() => ({ missed: 0.2 }))).rating).toBe("poor");
  });
  it("suffers from a long way and from jitter", () => {
    expect(judge(readings(() => ({ rttMs: 300 }))).rating).toBe("fair");
    expect(judge(readings(() => ({ jitterMs: 80 }))).rating).toBe("poor");
  });
  it("forgets what is long over", () => {
    const early = Array.from({ length: 5 }, (_, second) => ({
      ...(readings()[0] as Sample),
      atMs: second * 1000 - 60_000,
      lost: 0,
    }));
    expect(judge([...early, ...readings()]).lossPercent).toBe(0);
  });
});

describe("one-way audio", () => {
  it("is said after three seconds without a packet of the caller's", () => {
    const stops = readings((second) => ({ received: Math.min(second, 6) * 50 }));
    expect(judge(stops).silent).toBe("caller");
    expect(judge(stops.slice(0, 9)).silent).toBe("nobody");
  });
  it("is said when nothing of the agent's leaves or arrives", () => {
    expect(judge(readings(() => ({ sent: 7 }))).silent).toBe("agent");
    expect(judge(readings(() => ({ missed: 1 }))).silent).toBe("agent");
  });
  it("is not said while both are heard", () => expect(judge(readings()).silent).toBe("nobody"));
});

describe("a reading", () => {
  it("is made of what browsers report", () => {
    const sample = sampleOf(
      [
        { type: "inbound-rtp", packetsReceived: 120, packetsLost: 2, jitter: 0.004 },
        { type: "outbound-rtp", packetsSent: 130 },
        { type: "remote-inbound-rtp", fractionLost: 0.1, roundTripTime: 0.09 },
        { type: "candidate-pair", state: "failed", currentRoundTripTime: 9 },
        { type: "candidate-pair", state: "succeeded", currentRoundTripTime: 0.031 },
        { type: "codec" },
      ],
      5,
    );
    expect(sample).toEqual({
      atMs: 5,
      received: 120,
      lost: 2,
      jitterMs: 4,
      rttMs: 31,
      sent: 130,
      missed: 0.1,
    });
  });
});
