/** The softphone's buttons for the contact that is talked to. */
import { Button, Tooltip } from "@mantine/core";
import {
  IconArrowForwardUp,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneOff,
  IconPlayerPause,
  IconPlayerPlay,
  type Icon,
} from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import type { DeskWork } from "@/api/types";
import { useHint } from "@/app/keys";
import { useShortcuts } from "@/app/shortcuts";
import { toastProblem } from "@/ui/toast";
import { armed } from "../ending";
import { mute, phone } from "../phone/phone";
import { useCommand } from "../useCommand";
import { idOf } from "../words";
import { Keypad } from "./Keypad";
import { RecordingControl } from "./RecordingControl";
import classes from "../Desk.module.css";

const Transfer = lazy(() => import("./Transfer"));

export function Controls({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const id = idOf(work);
  const line = useStore(phone);
  const hold = useCommand(work.held ? "unhold" : "hold");
  const hangUp = useCommand("hangUp");
  const ending = useStore(armed) === id;
  const [handing, setHanding] = useState(false);
  const muted = line.id === id ? line.muted : work.muted;
  // Until routing has connected them there is nobody to hold, to hand on or to end.
  const ready = work.reservation?.stage === "bridged";
  useShortcuts([
    { keys: "t", label: t("call.transfer"), group: t("keys.call"), run: () => setHanding(ready) },
  ]);
  return (
    <div className={classes.controls} role="group" aria-label={t("call.controls")}>
      <Control
        icon={muted ? IconMicrophoneOff : IconMicrophone}
        label={t(muted ? "call.unmute" : "call.mute")}
        keys="M"
        pressed={muted}
        disabled={!ready}
        onClick={() => void mute(id, !muted).catch(toastProblem)}
      />
      <Control
        icon={work.held ? IconPlayerPlay : IconPlayerPause}
        label={t(work.held ? "call.unhold" : "call.hold")}
        keys="H"
        pressed={work.held}
        disabled={!ready || hold.isPending}
        onClick={() => hold.mutate(id)}
      />
      <Keypad id={id} disabled={!ready} />
      <Control
        icon={IconArrowForwardUp}
        label={t("call.transfer")}
        keys="T"
        disabled={!ready}
        onClick={() => setHanding(true)}
      />
      <RecordingControl work={work} disabled={!ready} />
      <Control
        icon={IconPhoneOff}
        label={t(ending ? "call.endAgain" : "call.end")}
        keys="E"
        color="red.9"
        disabled={hangUp.isPending}
        onClick={() => hangUp.mutate(id)}
      />
      <Suspense fallback={null}>
        {handing && <Transfer work={work} onClose={() => setHanding(false)} />}
      </Suspense>
    </div>
  );
}

interface ControlProps {
  icon: Icon;
  label: string;
  /** The key that does the same. */
  keys: string;
  /** Of what is on or off. */
  pressed?: boolean;
  color?: string;
  disabled?: boolean;
  onClick: () => void;
}

/** One large button with its icon above its word. */
export function Control({ icon: Shown, label, keys, pressed, color, ...rest }: ControlProps) {
  const hint = useHint();
  return (
    <Tooltip label={hint(label, keys)}>
      <Button
        className={classes.control}
        variant={color ? "filled" : pressed ? "filled" : "default"}
        {...(color && { color })}
        leftSection={<Shown size={20} stroke={1.7} aria-hidden />}
        {...(pressed !== undefined && { "aria-pressed": pressed })}
        {...rest}
      >
        {label}
      </Button>
    </Tooltip>
  );
}
