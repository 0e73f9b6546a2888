/** How a contact left its queue: sign, colour and word. */
import { Badge } from "@mantine/core";
import {
  IconArrowForwardUp,
  IconCheck,
  IconHourglass,
  IconListNumbers,
  IconLock,
  IconPhoneOff,
  IconX,
  type Icon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

export const EXITS = [
  "waiting",
  "answered",
  "abandoned",
  "callback",
  "overflowed",
  "voicemail",
  "timeout",
  "closed",
  "refused",
  "failed",
] as const;
export type Exit = (typeof EXITS)[number];

/** What became of calls in queues. */
export const CALL_OUTCOMES = [
  "never_queued",
  "waiting",
  "answered",
  "abandoned",
  "unanswered",
] as const;
type OutcomeOfCall = (typeof CALL_OUTCOMES)[number];

interface Look {
  icon: Icon;
  color: string;
}

const LOOKS: Record<Exit | OutcomeOfCall, Look> = {
  never_queued: { icon: IconListNumbers, color: "gray" },
  unanswered: { icon: IconArrowForwardUp, color: "gray" },
  waiting: { icon: IconHourglass, color: "bell" },
  answered: { icon: IconCheck, color: "teal" },
  abandoned: { icon: IconPhoneOff, color: "orange" },
  callback: { icon: IconArrowForwardUp, color: "gray" },
  overflowed: { icon: IconArrowForwardUp, color: "gray" },
  voicemail: { icon: IconArrowForwardUp, color: "gray" },
  timeout: { icon: IconHourglass, color: "orange" },
  closed: { icon: IconLock, color: "gray" },
  refused: { icon: IconLock, color: "gray" },
  failed: { icon: IconX, color: "red" },
};

export function Outcome({ exit }: { exit: string }) {
  const { t } = useTranslation("contacts");
  const known = EXITS.find((each) => each === exit);
  return <Sign look={LOOKS[known ?? "failed"]}>{known ? t(`exit.${known}`) : exit}</Sign>;
}

/** What became of a call, whether or not it queued. */
export function CallOutcome({ outcome }: { outcome: string }) {
  const { t } = useTranslation("contacts");
  const known = CALL_OUTCOMES.find((each) => each === outcome) ?? "never_queued";
  return <Sign look={LOOKS[known]}>{t(`callOutcome.${known}`)}</Sign>;
}

function Sign({ look, children }: { look: Look; children: string }) {
  const Shown = look.icon;
  return (
    <Badge miw="max-content" color={look.color} leftSection={<Shown size={13} aria-hidden />}>
      {children}
    </Badge>
  );
}
