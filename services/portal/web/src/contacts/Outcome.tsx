/** How a contact left its queue: sign, colour and word. */
import { Badge } from "@mantine/core";
import {
  IconArrowForwardUp,
  IconCheck,
  IconHourglass,
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

const LOOKS: Record<Exit, { icon: Icon; color: string }> = {
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
  const { icon: Shown, color } = LOOKS[known ?? "failed"];
  return (
    <Badge miw="max-content" color={color} leftSection={<Shown size={13} aria-hidden />}>
      {known ? t(`exit.${known}`) : exit}
    </Badge>
  );
}
