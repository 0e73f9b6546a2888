/** Keys by name, and whether single ones do anything: people who speak to their machine switch them off. */
import { store, useStore } from "@/api/store";

const KEPT = "carillon.single-keys";

/** Whether single keys do things in this browser (WCAG 2.1.4); those with Ctrl or Alt always do. */
export const singleKeys = store(globalThis.localStorage?.getItem(KEPT) !== "off");

/** Switches single keys on or off, and remembers it in this browser. */
export function chooseSingleKeys(on: boolean, into: Storage = localStorage): void {
  if (on) into.removeItem(KEPT);
  else into.setItem(KEPT, "off");
  singleKeys.set(on);
}

/** True: `a`, `shift+h`, `?` ...; not `alt+1`, `escape`. */
export function isSingle(keys: string): boolean {
  return keys.replace(/^shift\+(?=.)/, "").length === 1;
}

/** The name of what was pressed, in the form of `Shortcut.keys`. */
export function pressed(
  event: Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "shiftKey" | "metaKey">,
): string {
  const key = event.key.toLowerCase();
  const letter = /^[a-z0-9]$/.test(key) || key.length > 1;
  return [
    event.ctrlKey || event.metaKey ? "ctrl+" : "",
    event.altKey ? "alt+" : "",
    // A sign like `?` needs Shift on some keyboards and not on others.
    event.shiftKey && letter ? "shift+" : "",
    key,
  ].join("");
}

/** Writes a key behind what it does, as long as single keys do anything. */
export function useHint(): (label: string, key: string) => string {
  const on = useStore(singleKeys);
  return (label, key) => (on ? `${label} (${key})` : label);
}
