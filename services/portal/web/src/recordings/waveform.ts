/** Waveforms as the API tells them, made fit to be drawn. */

/** The bytes of a base64 text; none of what is no base64. */
export function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** How tall each bar stands, 0 to 1: each is the loudest of the columns that it covers. */
export function bars(levels: Uint8Array, wanted: number): number[] {
  if (levels.length === 0 || wanted <= 0) return [];
  const made: number[] = [];
  for (let bar = 0; bar < wanted; bar += 1) {
    const first = Math.floor((levels.length * bar) / wanted);
    const end = Math.max(first + 1, Math.ceil((levels.length * (bar + 1)) / wanted));
    let loudest = 0;
    for (let place = first; place < end; place += 1)
      loudest = Math.max(loudest, levels[place] ?? 0);
    made.push(height(loudest));
  }
  return made;
}

/** Levels are on a scale of 60 dB, on which a whisper fills half: bent so that speech has a shape. */
function height(level: number): number {
  return (level / 255) ** 1.8;
}

/** Lengths between the marks of an axis that people read easily. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].map((s) => s * 1_000);

/** Where the marks of an axis stand: at most `most` of them, from 0. */
export function marks(durationMs: number, most: number): number[] {
  if (durationMs <= 0 || most < 1) return [0];
  const step = STEPS_MS.find((each) => durationMs / each < most) ?? durationMs;
  return Array.from({ length: Math.floor(durationMs / step) + 1 }, (_, place) => place * step);
}
