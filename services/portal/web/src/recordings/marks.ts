/** How marks look, and what they are called. */
import {
  IconArrowForwardUp,
  IconBackspace,
  IconCreditCardOff,
  IconDialpad,
  IconMicrophoneOff,
  IconPlayerPause,
  IconSpeakerphone,
  type Icon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { length } from "@/i18n/format";
import type { Mark, MarkKind } from "./strips";

export const MARK_LOOKS: Record<MarkKind, { icon: Icon; color: string }> = {
  hold: { icon: IconPlayerPause, color: "var(--state-busy)" },
  mute: { icon: IconMicrophoneOff, color: "var(--state-away)" },
  transfer: { icon: IconArrowForwardUp, color: "var(--state-wrap)" },
  keys: { icon: IconDialpad, color: "var(--state-ready)" },
  pause: { icon: IconCreditCardOff, color: "var(--state-ring)" },
  gap: { icon: IconBackspace, color: "var(--state-lost)" },
  played: { icon: IconSpeakerphone, color: "var(--quiet)" },
};

/** Why sound is missing; other reasons are shown as they are. */
const GAP_REASONS = [
  "disk-full",
  "disk-slow",
  "no-sealing-key",
  "gateway-lost",
  "segment-lost",
  "damaged",
] as const;
type GapReason = (typeof GAP_REASONS)[number];

/** A gap's reason in words. */
export function useGapReason(): (reason: string) => string {
  const { t } = useTranslation("recordings");
  return (reason) =>
    (GAP_REASONS as readonly string[]).includes(reason)
      ? t(`gapReason.${reason as GapReason}`)
      : reason;
}

/** A mark in words, with how long it lasted. */
export function useMarkWords(): (mark: Mark) => string {
  const { t } = useTranslation("recordings");
  const gapReason = useGapReason();
  const name = (mark: Mark) => {
    if (mark.kind === "keys" && mark.count > 0) return t("mark.keysCount", { count: mark.count });
    if (mark.kind === "played") return t(mark.reason === "music" ? "mark.music" : "mark.prompt");
    return t(`mark.${mark.kind}`);
  };
  const reason = (mark: Mark) => {
    if (mark.kind === "played") return "";
    return mark.kind === "gap" ? gapReason(mark.reason) : mark.reason;
  };
  return (mark) => {
    const lasting = mark.toMs - mark.fromMs >= 1_000 ? length(mark.toMs - mark.fromMs) : "";
    return [name(mark), reason(mark), lasting].filter(Boolean).join(" · ");
  };
}
