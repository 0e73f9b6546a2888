/** How loud a piece of sound is, as people perceive it. */

/** From here on a microphone has heard something. */
export const HEARD_LEVEL = 0.15;
const FLOOR_DB = -60;

/** 0 (silence, at most -60 dB) to 1 (as loud as can be). */
export function levelOf(wave: Float32Array): number {
  let energy = 0;
  for (const value of wave) energy += value * value;
  if (energy === 0 || wave.length === 0) return 0;
  const decibels = 10 * Math.log10(energy / wave.length);
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
}
