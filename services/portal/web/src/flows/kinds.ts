/** How a kind of node looks. */
import {
  IconArrowsSplit,
  IconClockHour4,
  IconDialpad,
  IconHash,
  IconMessage,
  IconMusic,
  IconPhoneIncoming,
  IconPhoneOff,
  IconPhoneOutgoing,
  IconQuestionMark,
  IconShieldCheck,
  IconStack2,
  IconVariable,
  type Icon,
} from "@tabler/icons-react";

const LOOKS = {
  answer: IconPhoneIncoming,
  say: IconMessage,
  play: IconMusic,
  menu: IconDialpad,
  gather: IconHash,
  consent: IconShieldCheck,
  set: IconVariable,
  branch: IconArrowsSplit,
  hours: IconClockHour4,
  enqueue: IconStack2,
  transfer: IconPhoneOutgoing,
  hangup: IconPhoneOff,
  other: IconQuestionMark,
} satisfies Record<string, Icon>;

export type Kind = keyof typeof LOOKS;

/** The kind, or `other` for a word that is none. */
export function kindOf(word: string): Kind {
  return word in LOOKS ? (word as Kind) : "other";
}

export function iconOf(kind: Kind): Icon {
  return LOOKS[kind];
}
