/** The keys that work for a contact on every page, and for the agent's state on the desk. */
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { usePath } from "@/app/go";
import { useShortcuts, type Shortcut } from "@/app/shortcuts";
import { toastProblem } from "@/ui/toast";
import { pressEnd } from "./ending";
import { commands, type Command } from "./phone/commands";
import { mute, phone } from "./phone/phone";
import { be, goReady } from "./presence";
import { idOf, isRinging, isTalking } from "./words";

export function DeskKeys({ works }: { works: DeskWork[] }) {
  const { t } = useTranslation("desk");
  const onDesk = usePath() === "/desk";
  const ringing = works.find(isRinging);
  const talking = works.find(isTalking);
  const run = (name: Command, work: DeskWork | undefined) => {
    if (work) commands[name](idOf(work)).catch(toastProblem);
  };
  const group = t("keys.call");
  const ofRing: Shortcut[] = [
    { keys: "a", label: t("call.accept"), group, run: () => run("accept", ringing) },
    { keys: "d", label: t("call.decline"), group, run: () => run("reject", ringing) },
  ];
  const ofCall: Shortcut[] = [
    {
      keys: "m",
      label: t("keys.mute"),
      group,
      run: () => {
        if (!talking) return;
        // What is shown counts: the server may not have told the last press yet.
        const { id, muted } = phone.get();
        const now = id === idOf(talking) ? muted : talking.muted;
        void mute(idOf(talking), !now).catch(toastProblem);
      },
    },
    {
      keys: "h",
      label: t("keys.hold"),
      group,
      run: () => run(talking?.held ? "unhold" : "hold", talking),
    },
    { keys: "e", label: t("keys.end"), group, run: () => talking && pressEnd(idOf(talking)) },
  ];
  const ofState: Shortcut[] = [
    { keys: "r", label: t("presence.ready"), group: t("keys.state"), run: goReady },
    {
      keys: "b",
      label: t("presence.break"),
      group: t("keys.state"),
      run: () => be("break", "pause"),
    },
  ];
  // Listed even before there is a contact for them: `?` shows all that there is to learn.
  const wraps = works.some((work) => work.reservation?.work === "wrap_up");
  const listed = (keys: string, label: string): Shortcut => ({
    keys,
    label,
    group,
    run: () => undefined,
  });
  const later: Shortcut[] = [
    ...(talking
      ? []
      : [
          listed("k", t("call.keypad")),
          listed("t", t("call.transfer")),
          listed("p", t("recording.pauseOrResume")),
        ]),
    ...(talking || wraps ? [] : [listed("n", t("notes.write"))]),
    ...(wraps ? [] : [listed("w", t("wrap.finish")), listed("x", t("wrap.extend"))]),
  ];
  // Elsewhere these letters may mean something else: there they are taken only when they matter.
  useShortcuts([
    ...(onDesk || ringing ? ofRing : []),
    ...(onDesk || talking ? ofCall : []),
    ...(onDesk ? [...later, ...ofState] : []),
  ]);
  return null;
}
