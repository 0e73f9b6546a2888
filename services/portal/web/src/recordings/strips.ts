/** What a listener wants to find: holds, keys, pauses, gaps and the like, on the sound's own time. */
import { ms, type Schema } from "@/api/types";

export type RecordingView = Schema<"recording.v1.RecordingView">;

/** In the order in which strips stand below the waveform. */
export const MARKS = ["hold", "mute", "transfer", "keys", "pause", "gap", "played"] as const;
export type MarkKind = (typeof MARKS)[number];

/** One thing that happened, or a stretch. */
export interface Mark {
  kind: MarkKind;
  /** Since the sound's beginning. */
  fromMs: number;
  /** The same as `fromMs`: it has no length. */
  toMs: number;
  /** Of keys: how many. */
  count: number;
  /** Why, in the words of whoever said so; of what was played: `music` or nothing. */
  reason: string;
}

function isKind(kind: string): kind is MarkKind {
  return (MARKS as readonly string[]).includes(kind);
}

/** All marks of a recording in the order of their time; `durationMs` is how long the sound is. */
export function marksOf(recording: RecordingView, durationMs: number): Mark[] {
  const begin = ms(recording.started_at_ms);
  const within = (atMs: number) => Math.min(Math.max(0, atMs - begin), durationMs);
  const found: Mark[] = [];
  const add = (
    kind: MarkKind,
    from: string,
    to: string,
    { lasting = true, count = 0, reason = "" } = {},
  ) => {
    const fromMs = within(ms(from));
    // Without an end it lasts to the end of the sound, or it is an instant.
    const open = lasting ? durationMs : fromMs;
    const toMs = ms(to) ? Math.max(fromMs, within(ms(to))) : open;
    found.push({ kind, fromMs, toMs, count, reason });
  };
  for (const marker of recording.markers)
    if (isKind(marker.kind))
      add(marker.kind, marker.from_ms, marker.to_ms, {
        lasting: marker.kind === "hold" || marker.kind === "mute",
        count: marker.count,
      });
  for (const pause of recording.pauses)
    add("pause", pause.from_ms, pause.to_ms, { reason: pause.reason });
  for (const gap of recording.gaps) add("gap", gap.from_ms, gap.to_ms, { reason: gap.reason });
  for (const played of recording.played)
    add("played", played.from_ms, played.to_ms, {
      lasting: played.loop,
      reason: played.prompts.includes("music") ? "music" : "",
    });
  return found.sort((one, other) => one.fromMs - other.fromMs || one.toMs - other.toMs);
}

/** The marks by kind, only kinds that there are, in the order of `MARKS`. */
export function stripsOf(marks: readonly Mark[]): { kind: MarkKind; marks: Mark[] }[] {
  return MARKS.map((kind) => ({ kind, marks: marks.filter((mark) => mark.kind === kind) })).filter(
    (strip) => strip.marks.length > 0,
  );
}
