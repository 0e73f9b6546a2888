/** How a recording stands: its sign and its word. */
import { Badge } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconPlayerRecord,
  type Icon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

const LOOKS: Record<"recording" | "complete" | "incomplete", { icon: Icon; color: string }> = {
  recording: { icon: IconPlayerRecord, color: "bell" },
  complete: { icon: IconCircleCheck, color: "teal" },
  incomplete: { icon: IconAlertTriangle, color: "orange" },
};

export function RecordingState({ state }: { state: string }) {
  const { t } = useTranslation("recordings");
  const known = state as keyof typeof LOOKS;
  const { icon: Shown, color } = LOOKS[known] ?? LOOKS.incomplete;
  return (
    <Badge miw="max-content" color={color} leftSection={<Shown size={13} aria-hidden />}>
      {LOOKS[known] ? t(`state.${known}`) : state}
    </Badge>
  );
}
