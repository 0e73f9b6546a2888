/** The player's keys for the whole page. */
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useShortcuts } from "@/app/shortcuts";
import { hasOwnSpace, STEP_MS } from "./keys";
import type { Sound } from "./useSound";

export function PlayerShortcuts({ sound }: { sound: Sound }) {
  const { t } = useTranslation("recordings");
  const group = t("player.label");
  const count = STEP_MS / 1000;
  useShortcuts([
    // Listed under this name; a button's own space bar goes before it, so it is heard below.
    { keys: "space", label: t("player.playOrPause"), group, run: sound.toggle },
    {
      keys: "arrowleft",
      label: t("player.back", { count }),
      group,
      run: () => sound.by(-STEP_MS),
    },
    { keys: "arrowright", label: t("player.on", { count }), group, run: () => sound.by(STEP_MS) },
    { keys: "[", label: t("player.slower"), group, run: () => sound.faster(-1) },
    { keys: "]", label: t("player.faster"), group, run: () => sound.faster(1) },
  ]);
  const { toggle } = sound;
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.key !== " " || event.defaultPrevented || event.repeat) return;
      if (event.altKey || event.ctrlKey || event.metaKey || hasOwnSpace(event.target)) return;
      if (document.querySelector("[role=dialog]")) return;
      event.preventDefault();
      toggle();
    };
    document.addEventListener("keydown", down);
    return () => document.removeEventListener("keydown", down);
  }, [toggle]);
  return null;
}
