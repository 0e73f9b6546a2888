/** The sound of a recording, fetched by parts: long ones come in time, and it is seen how far. */
import { raw } from "@/api/client";

/** Two minutes of sound. */
const PART_BYTES = 4 * 1024 * 1024;
/** A day of sound. */
const MAX_PARTS = 700;

/** The whole WAV. Whoever asks for it is on the audit trail as a listener: ask only to play. */
export async function fetchSound(
  recordingId: string,
  onProgress: (part: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const path = `/v1/recordings/${encodeURIComponent(recordingId)}/audio.wav`;
  const parts: Blob[] = [];
  let have = 0;
  let total = Number.POSITIVE_INFINITY;
  onProgress(0);
  for (let number = 0; number < MAX_PARTS && have < total; number += 1) {
    signal.throwIfAborted();
    const range = `bytes=${have}-${Math.min(have + PART_BYTES, total) - 1}`;
    const answer = await raw(path, { headers: { range }, signal });
    const part = await answer.blob();
    // A recording that still goes on grows: what its beginning said holds.
    if (number === 0) total = totalOf(answer) ?? part.size;
    parts.push(part);
    have += part.size;
    if (part.size === 0) break;
    onProgress(Math.min(1, have / total));
  }
  return new Blob(parts, { type: "audio/wav" });
}

/** How long the whole is, of which the answer is a part; null: it is the whole. */
export function totalOf(answer: Response): number | null {
  const said = /\/(\d+)$/.exec(answer.headers.get("content-range") ?? "");
  return said ? Number(said[1]) : null;
}
