/** Where the other side is heard. */
import { store } from "@/api/store";
import { chosen, onSpeaker } from "./devices";

/** True: the browser plays nothing before the person has clicked or pressed a key. */
export const silenced = store(false);

let element: HTMLAudioElement | null = null;

function player(): HTMLAudioElement {
  if (!element) {
    element = document.createElement("audio");
    element.autoplay = true;
    element.dataset.carillon = "voice";
    document.body.append(element);
    chosen.subscribe(() => element && void onSpeaker(element));
    for (const gesture of ["pointerdown", "keydown"] as const)
      document.addEventListener(gesture, () => silenced.get() && play());
  }
  return element;
}

/** Plays a voice; null: nobody's. */
export function hear(stream: MediaStream | null): void {
  const audio = player();
  audio.srcObject = stream;
  silenced.set(false);
  if (!stream) return;
  void onSpeaker(audio);
  play();
}

function play(): void {
  player()
    .play()
    .then(
      () => silenced.set(false),
      // A newer voice interrupts an older one; that is no refusal.
      (thrown: unknown) =>
        silenced.set(thrown instanceof Error && thrown.name === "NotAllowedError"),
    );
}
