/** Microphones and speakers: which there are, which are chosen, and why one can not be had. */
import { store } from "@/api/store";

const INPUT = "carillon.microphone";
const OUTPUT = "carillon.speaker";

export interface Chosen {
  /** Ids of devices; empty: the system's usual one. */
  input: string;
  output: string;
}

/** Why there is no sound from the microphone. */
export type MicFault = "insecure" | "denied" | "missing" | "busy" | "failed";

function kept(key: string): string {
  return globalThis.localStorage?.getItem(key) ?? "";
}

/** The devices chosen on this machine. */
export const chosen = store<Chosen>({ input: kept(INPUT), output: kept(OUTPUT) });

/** Chooses devices, and remembers them. */
export function choose(changes: Partial<Chosen>): void {
  const next = { ...chosen.get(), ...changes };
  localStorage.setItem(INPUT, next.input);
  localStorage.setItem(OUTPUT, next.output);
  chosen.set(next);
}

/** What a browser throws, as one of the reasons that people can do something about. */
export function micFault(thrown: unknown): MicFault {
  const name = thrown instanceof Error ? thrown.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  if (name === "TypeError") return "insecure";
  return "failed";
}

/** The chosen microphone, or the usual one when it is not there any more. */
export async function microphone(): Promise<MediaStream> {
  // Browsers give no microphone to pages that do not come by HTTPS or from this machine.
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (!media) throw new TypeError("no microphone without HTTPS");
  const { input } = chosen.get();
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await media.getUserMedia({
      audio: input ? { ...wanted, deviceId: { exact: input } } : wanted,
    });
  } catch (thrown) {
    if (!input || micFault(thrown) !== "missing") throw thrown;
    return await media.getUserMedia({ audio: wanted });
  }
}

/** Stops a microphone: its light goes off. */
export function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Devices of one kind. Their names are told only once a microphone was allowed. */
export async function devices(kind: "audioinput" | "audiooutput"): Promise<MediaDeviceInfo[]> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  const all = (await media?.enumerateDevices()) ?? [];
  return all.filter((each) => each.kind === kind && each.deviceId !== "");
}

/** True: this browser lets the page choose the speaker. */
export function canChooseSpeaker(): boolean {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** Plays an element on the chosen speaker, as far as the browser can. */
export async function onSpeaker(element: HTMLMediaElement): Promise<void> {
  if (!canChooseSpeaker()) return;
  // A speaker that is not there any more: the usual one is better than none.
  await element.setSinkId(chosen.get().output).catch(() => element.setSinkId(""));
}

/** Which browser this is, for words on where its permissions are. */
export function browserIs(agent = navigator.userAgent): "firefox" | "safari" | "chromium" {
  if (/firefox/i.test(agent)) return "firefox";
  return /safari/i.test(agent) && !/chrom(e|ium)|edg/i.test(agent) ? "safari" : "chromium";
}
