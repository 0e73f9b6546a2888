/** An agent's state: its colour, its shape and its word, so that colour alone says nothing. */
import {
  IconBellRinging,
  IconCircleCheck,
  IconCoffee,
  IconHeadset,
  IconLogout,
  IconPencil,
  IconPlayerPause,
  IconPlugConnectedX,
  type Icon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./StateBadge.module.css";

export const STATES = [
  "ready",
  "reserved",
  "ringing",
  "talking",
  "holding",
  "wrap_up",
  "break",
  "signed_out",
  "unreachable",
] as const;
export type State = (typeof STATES)[number];

const LOOKS: Record<State, { icon: Icon; color: string }> = {
  ready: { icon: IconCircleCheck, color: "var(--state-ready)" },
  reserved: { icon: IconBellRinging, color: "var(--state-ring)" },
  ringing: { icon: IconBellRinging, color: "var(--state-ring)" },
  talking: { icon: IconHeadset, color: "var(--state-busy)" },
  holding: { icon: IconPlayerPause, color: "var(--state-busy)" },
  wrap_up: { icon: IconPencil, color: "var(--state-wrap)" },
  break: { icon: IconCoffee, color: "var(--state-away)" },
  signed_out: { icon: IconLogout, color: "var(--state-away)" },
  unreachable: { icon: IconPlugConnectedX, color: "var(--state-lost)" },
};

/** The state's colour, as CSS. */
export function stateColor(state: string): string {
  return (LOOKS[state as State] ?? LOOKS.unreachable).color;
}

/** The state as icon and word; of plain elements, because a floor draws hundreds of them. */
export function StateBadge({ state, reason = "" }: { state: string; reason?: string }) {
  const { t } = useTranslation();
  const { icon: Shown, color } = LOOKS[state as State] ?? LOOKS.unreachable;
  return (
    <span className={classes.badge}>
      <Shown size={16} stroke={2} color={color} aria-hidden />
      <span className={classes.word} style={{ color }}>
        {t(`state.${state as State}`)}
      </span>
      {reason && <span className={classes.reason}>{reason}</span>}
    </span>
  );
}
