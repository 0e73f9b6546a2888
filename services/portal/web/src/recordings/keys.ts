/** The player's keys. */
import type { Sound } from "./useSound";

export const STEP_MS = 5_000;

/** Does what a key is for; false: it is for nothing here. */
export function pressedKey(key: string, sound: Sound, durationMs: number): boolean {
  if (key === " ") sound.toggle();
  else if (key === "ArrowLeft") sound.by(-STEP_MS);
  else if (key === "ArrowRight") sound.by(STEP_MS);
  else if (key === "Home") sound.seek(0);
  else if (key === "End") sound.seek(durationMs);
  else if (key === "[") sound.faster(-1);
  else if (key === "]") sound.faster(1);
  else return false;
  return true;
}

/** Whether the space bar means something of its own there. */
export function hasOwnSpace(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest("button, a, input, textarea, select, [role=tab], summary") !== null;
}
