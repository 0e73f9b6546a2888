/** A tenant's state as icon and word. */
import { Group, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconHelpCircle,
  IconPlayerPause,
  type Icon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { State } from "./health";

const LOOKS: Record<State, { icon: Icon; color: string }> = {
  well: { icon: IconCircleCheck, color: "var(--state-ready)" },
  attention: { icon: IconAlertTriangle, color: "var(--state-ring)" },
  unknown: { icon: IconHelpCircle, color: "var(--state-away)" },
  suspended: { icon: IconPlayerPause, color: "var(--state-lost)" },
};

export function TenantState({ state }: { state: State }) {
  const { t } = useTranslation("platform");
  const { icon: Shown, color } = LOOKS[state];
  return (
    <Group gap={6} wrap="nowrap" display="inline-flex" c={color}>
      <Shown size={17} stroke={2} aria-hidden />
      <Text span size="sm" fw={560}>
        {t(`states.${state}`)}
      </Text>
    </Group>
  );
}
