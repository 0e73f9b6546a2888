/** Keys that do things, and the list of them that `?` shows. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { store } from "@/api/store";
import { isSingle, pressed, singleKeys } from "./keys";

/** One key and what it does. */
export interface Shortcut {
  /** For example `a`, `shift+h`, `alt+1`, `?`. */
  keys: string;
  label: string;
  /** The heading that it stands under. */
  group: string;
  run: () => void;
  /** True: also while something is typed. */
  always?: boolean;
}

/** All keys that do something at present. */
export const registered = store<readonly Shortcut[]>([]);
/** Whether the list is shown. */
export const listed = store(false);

/** Shows the list. */
export function showShortcuts(): void {
  listed.set(true);
}

/** Makes keys work, and lists them, while the component is there. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  const names = shortcuts.map((each) => `${each.keys}\n${each.label}\n${each.group}`).join("\r");
  useEffect(() => {
    const mine = latest.current.map((each, place) => ({
      ...each,
      run: () => latest.current[place]?.run(),
    }));
    registered.set([...registered.get(), ...mine]);
    return () => registered.set(registered.get().filter((each) => !mine.includes(each)));
  }, [names]);
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Listens to the keyboard; once in the application. */
export function Shortcuts() {
  const { t } = useTranslation();
  useShortcuts([
    { keys: "?", label: t("shortcuts.help"), group: t("shortcuts.general"), run: showShortcuts },
    {
      keys: "/",
      label: t("shortcuts.search"),
      group: t("shortcuts.general"),
      run: () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    },
  ]);
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return;
      const name = pressed(event);
      // What was registered last is nearest to what the person looks at.
      const hit = registered.get().findLast((each) => each.keys === name);
      if (!hit || (typing(event.target) && !hit.always)) return;
      if (isSingle(name) && !singleKeys.get()) return;
      event.preventDefault();
      hit.run();
    };
    document.addEventListener("keydown", down);
    return () => document.removeEventListener("keydown", down);
  }, []);
  return null;
}
