/** Whether this tab takes calls: the device check passed here, and no newer tab took over. */
import { link, softphoneIs } from "@/api/feed";
import { session } from "@/api/session";
import { store } from "@/api/store";
import { devices } from "./devices";
import { prepareLine } from "./line";

const KEY = "carillon.device-check";

function passedHere(): boolean {
  const me = session.me();
  return me !== null && globalThis.sessionStorage?.getItem(KEY) === me.id;
}

/** True: the device check passed in this tab, by who is signed in. */
export const checked = store(false);
/** True: the device check is open. */
export const checking = store(false);

let afterwards: (() => void) | null = null;

/** Opens the device check; `then` happens once it has passed. */
export function check(then: (() => void) | null = null): void {
  afterwards = then;
  checking.set(true);
}

/** Closes it without a result. */
export function stopChecking(): void {
  afterwards = null;
  checking.set(false);
}

/** Everything was tried and works: this tab takes calls. */
export function checkPassed(): void {
  const then = afterwards;
  sessionStorage.setItem(KEY, session.me()?.id ?? "");
  checked.set(true);
  softphoneIs(true);
  stopChecking();
  then?.();
}

/** Takes calls in this tab; the devices are tried first if that was not done in it. */
export function takeCallsHere(then: (() => void) | null = null): void {
  if (!checked.get()) return check(then);
  softphoneIs(true);
  then?.();
}

/** Begins: a tab that was reloaded is the softphone again at once. The answer ends it. */
export function startSoftphone(): () => void {
  checked.set(passedHere());
  if (checked.get()) {
    prepareLine();
    softphoneIs(true);
  }
  const media = navigator.mediaDevices as MediaDevices | undefined;
  const look = () => void lookAtDevices();
  media?.addEventListener("devicechange", look);
  return () => {
    media?.removeEventListener("devicechange", look);
    checked.set(false);
    stopChecking();
  };
}

/** True: this tab is the one that rings. */
export function isSoftphone(): boolean {
  return checked.get() && link.get() !== "replaced";
}

/** Without any microphone nobody can be rung; with one again, they can. */
async function lookAtDevices(): Promise<void> {
  const there = (await devices("audioinput").catch(() => [])).length > 0;
  if (checked.get() && link.get() !== "replaced") softphoneIs(there);
}
