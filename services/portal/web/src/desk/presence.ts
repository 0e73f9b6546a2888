/** Changing one's own state. */
import { asProblem } from "@/api/problem";
import { toastProblem } from "@/ui/toast";
import { setPresence } from "./phone/commands";
import { takeCallsHere } from "./phone/softphone";

/** Ready: this tab takes calls from then on; its devices are tried first if they were not. */
export function goReady(): void {
  takeCallsHere(() => be("ready"));
}

/** A break or signed out; during a contact it holds as soon as that is over. */
export function be(presence: "ready" | "break" | "signed_out", reason = ""): void {
  setPresence(presence, reason).catch((thrown: unknown) => toastProblem(asProblem(thrown)));
}
