/** Ending a call by the keyboard takes two presses: one slip of a finger must not cost a caller. */
import { store } from "@/api/store";
import { toastProblem } from "@/ui/toast";
import { commands } from "./phone/commands";

const ARMED_MS = 3_000;

/** The contact that the next press ends; empty: none. */
export const armed = store("");
let timer: ReturnType<typeof setTimeout> | undefined;

/** The first press arms, the second one within three seconds ends the call. */
export function pressEnd(id: string): void {
  clearTimeout(timer);
  if (armed.get() === id) {
    armed.set("");
    commands.hangUp(id).catch(toastProblem);
    return;
  }
  armed.set(id);
  timer = setTimeout(() => armed.set(""), ARMED_MS);
}
