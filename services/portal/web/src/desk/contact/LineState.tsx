/** How the call's audio is: the connection in a word, and clear lines for what is wrong. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconAntennaBars2,
  IconAntennaBars3,
  IconAntennaBars5,
  IconMicrophoneOff,
  IconPlayerRecord,
  type Icon,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import type { DeskWork } from "@/api/types";
import { count } from "@/i18n/format";
import { phone, quality } from "../phone/phone";
import { check, checked } from "../phone/softphone";
import { silenced } from "../phone/voice";
import { idOf } from "../words";

const BARS: Record<string, { icon: Icon; color: string }> = {
  good: { icon: IconAntennaBars5, color: "var(--state-ready)" },
  fair: { icon: IconAntennaBars3, color: "var(--state-ring)" },
  poor: { icon: IconAntennaBars2, color: "var(--state-lost)" },
};

export function LineState({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const line = useStore(phone);
  const found = useStore(quality);
  const here = useStore(checked);
  const quiet = useStore(silenced);
  const mine = line.id === idOf(work);
  const bars = BARS[found?.rating ?? ""];
  return (
    <Stack gap="xs">
      {work.recording === "paused" && (
        <Trouble
          color="yellow"
          icon={<IconPlayerRecord aria-hidden />}
          text={t("recording.isPaused")}
        />
      )}
      {work.recording === "failed" && <Trouble color="red" text={t("recording.failed")} />}
      {!mine && <Trouble color="bell" text={t(here ? "line.opening" : "line.elsewhere")} />}
      {mine && line.line === "lost" && <Trouble color="red" text={t("line.lost")} />}
      {mine && line.line === "opening" && <Trouble color="bell" text={t("line.opening")} />}
      {mine && line.fault && (
        <Trouble
          color="red"
          icon={<IconMicrophoneOff aria-hidden />}
          text={t(`line.microphone.${line.fault === "denied" ? "denied" : "gone"}`)}
          button={t("check.open")}
          onClick={() => check()}
        />
      )}
      {mine && quiet && (
        <Trouble color="yellow" text={t("line.silenced")} button={t("line.hear")} />
      )}
      {mine && line.line === "on" && !work.held && found && found.silent !== "nobody" && (
        <Trouble color="red" text={t(`line.silent.${found.silent}`)} />
      )}
      {mine && line.line === "on" && found && bars && (
        <Group gap={6}>
          <bars.icon size={18} color={bars.color} aria-hidden />
          <Text size="sm" fw={560}>
            {t(`line.rating.${found.rating as "good"}`)}
          </Text>
          <Text size="sm" c="dimmed" className="tabular">
            {t("line.figures", {
              ms: found.rttMs === null ? "–" : count(found.rttMs),
              loss: count(found.lossPercent, 1),
              jitter: count(found.jitterMs),
            })}
          </Text>
        </Group>
      )}
    </Stack>
  );
}

interface TroubleProps {
  color: string;
  text: string;
  icon?: ReactNode;
  button?: string;
  onClick?: () => void;
}

function Trouble({ color, text, icon, button, onClick }: TroubleProps) {
  return (
    <Alert
      color={color}
      variant="light"
      icon={icon ?? <IconAlertTriangle aria-hidden />}
      role="alert"
      py={8}
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm">{text}</Text>
        {button && (
          <Button size="compact-sm" variant="default" {...(onClick && { onClick })}>
            {button}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
