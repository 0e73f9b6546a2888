/** A ring that is seen in a page that nobody looks at: the title, and the system's notification. */

const BLINK_MS = 1_000;

let words = "";
let before = "";
let blink: ReturnType<typeof setInterval> | undefined;
let shown: Notification | null = null;

/** True: the person may be asked whether the page may notify. */
export function mayAskToNotify(): boolean {
  return "Notification" in globalThis && Notification.permission === "default";
}

/** Asks whether the page may notify; true: it may. */
export async function askToNotify(): Promise<boolean> {
  if (!("Notification" in globalThis)) return false;
  return (await Notification.requestPermission()) === "granted";
}

/** Says in the title, and in a notification when the page is not looked at, who calls. */
export function notice(title: string, body: string, onClick: () => void): void {
  if (words === title) return;
  clearNotice();
  words = title;
  const turn = () => {
    if (document.title !== words) before = document.title;
    document.title = document.title === words ? before : words;
  };
  turn();
  blink = setInterval(turn, BLINK_MS);
  if (document.hasFocus() || !("Notification" in globalThis)) return;
  if (Notification.permission !== "granted") return;
  try {
    shown = new Notification(title, { body, tag: "carillon-ring", requireInteraction: true });
    shown.onclick = () => {
      window.focus();
      onClick();
    };
  } catch {
    // Some browsers on phones only notify from a service worker: the title and the ring remain.
  }
}

/** Takes it back. */
export function clearNotice(): void {
  clearInterval(blink);
  shown?.close();
  shown = null;
  if (words && document.title === words) document.title = before;
  words = "";
}
