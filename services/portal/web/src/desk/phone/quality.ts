/** How good the connection is, from what the browser measures of it (W3C webrtc-stats). */

/** One reading. Counters grow for as long as the connection lasts. */
export interface Sample {
  atMs: number;
  /** RTP packets that came, and those missing among them. */
  received: number;
  lost: number;
  jitterMs: number;
  /** The way there and back; null: not measured yet. */
  rttMs: number | null;
  /** RTP packets that went. */
  sent: number;
  /** Share of ours that the other side missed lately, 0 to 1; null: it has not said. */
  missed: number | null;
}

export type Rating = "good" | "fair" | "poor" | "unknown";

export interface Quality {
  rating: Rating;
  lossPercent: number;
  jitterMs: number;
  rttMs: number | null;
  /** Which side is not heard at all: the caller (nothing comes), or the agent (nothing arrives). */
  silent: "nobody" | "caller" | "agent";
}

/** Readings that are looked at; one each second. */
export const WINDOW = 10;
const SILENCE_MS = 3_000;
/** Loss, jitter and way there and back from which on a call is fair, and poor. */
const FAIR = { loss: 1.5, jitter: 30, rtt: 250 };
const POOR = { loss: 5, jitter: 60, rtt: 400 };
const ALL_MISSED = 0.95;

interface Stat {
  type: string;
  [name: string]: unknown;
}

/** A reading out of the browser's report. */
export function sampleOf(report: Iterable<Stat>, atMs: number): Sample {
  const sample: Sample = {
    atMs,
    received: 0,
    lost: 0,
    jitterMs: 0,
    rttMs: null,
    sent: 0,
    missed: null,
  };
  const number = (value: unknown) => (typeof value === "number" ? value : 0);
  for (const stat of report) {
    if (stat.type === "inbound-rtp") {
      sample.received += number(stat.packetsReceived);
      sample.lost += number(stat.packetsLost);
      sample.jitterMs = number(stat.jitter) * 1000;
    } else if (stat.type === "outbound-rtp") {
      sample.sent += number(stat.packetsSent);
    } else if (stat.type === "remote-inbound-rtp") {
      if (typeof stat.fractionLost === "number") sample.missed = stat.fractionLost;
      if (typeof stat.roundTripTime === "number") sample.rttMs ??= stat.roundTripTime * 1000;
    } else if (stat.type === "candidate-pair" && stat.state === "succeeded") {
      if (typeof stat.currentRoundTripTime === "number")
        sample.rttMs = stat.currentRoundTripTime * 1000;
    }
  }
  return sample;
}

/** What the last readings say, oldest first. */
export function judge(samples: readonly Sample[]): Quality {
  const last = samples.at(-1);
  const first = samples.at(-WINDOW) ?? samples[0];
  if (!last || !first || last === first)
    return { rating: "unknown", lossPercent: 0, jitterMs: 0, rttMs: null, silent: "nobody" };
  const lost = Math.max(0, last.lost - first.lost);
  const came = Math.max(0, last.received - first.received);
  const lossPercent = came + lost > 0 ? (lost / (came + lost)) * 100 : 0;
  const { jitterMs, rttMs } = last;
  const beyond = (limit: typeof FAIR) =>
    Math.max(lossPercent, (last.missed ?? 0) * 100) >= limit.loss ||
    jitterMs >= limit.jitter ||
    (rttMs ?? 0) >= limit.rtt;
  const rating: Rating = beyond(POOR) ? "poor" : beyond(FAIR) ? "fair" : "good";
  return { rating, lossPercent, jitterMs, rttMs, silent: silent(samples, last) };
}

function silent(samples: readonly Sample[], last: Sample): Quality["silent"] {
  const before = samples.findLast((each) => each.atMs <= last.atMs - SILENCE_MS);
  if (!before) return "nobody";
  if (last.received <= before.received) return "caller";
  if (last.sent <= before.sent || (last.missed ?? 0) >= ALL_MISSED) return "agent";
  return "nobody";
}
