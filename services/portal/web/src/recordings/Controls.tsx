/** Play, stop, back, on, and how fast. */
import { Button, Group, SegmentedControl, Text } from "@mantine/core";
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRewindBackward5,
  IconRewindForward5,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { usePart } from "@/api/store";
import { count, length } from "@/i18n/format";
import { STEP_MS } from "./keys";
import { SPEEDS, type Sound, type Speed } from "./useSound";

export function Controls({ sound, durationMs }: { sound: Sound; durationMs: number }) {
  const { t } = useTranslation("recordings");
  const second = usePart(sound.at, (atMs) => Math.floor(atMs / 1000));
  const step = STEP_MS / 1000;
  return (
    <Group gap="sm" justify="space-between">
      <Group gap="xs">
        <Button
          onClick={sound.toggle}
          w={116}
          leftSection={
            sound.playing ? (
              <IconPlayerPauseFilled size={16} aria-hidden />
            ) : (
              <IconPlayerPlayFilled size={16} aria-hidden />
            )
          }
        >
          {sound.loading !== null
            ? t("player.loading", { percent: Math.round(sound.loading * 100) })
            : t(sound.playing ? "player.pause" : "player.play")}
        </Button>
        <Button
          variant="default"
          px={10}
          onClick={() => sound.by(-STEP_MS)}
          aria-label={t("player.back", { count: step })}
        >
          <IconRewindBackward5 size={18} aria-hidden />
        </Button>
        <Button
          variant="default"
          px={10}
          onClick={() => sound.by(STEP_MS)}
          aria-label={t("player.on", { count: step })}
        >
          <IconRewindForward5 size={18} aria-hidden />
        </Button>
        <Text size="sm" className="tabular" fw={560}>
          {length(second * 1000)}
          <Text span c="dimmed" fw={400}>
            {" / "}
            {length(durationMs)}
          </Text>
        </Text>
      </Group>
      <SegmentedControl
        size="xs"
        aria-label={t("player.speed")}
        value={String(sound.speed)}
        onChange={(value) => sound.setSpeed(Number(value) as Speed)}
        data={SPEEDS.map((speed) => ({ value: String(speed), label: `${count(speed, 2)}×` }))}
      />
    </Group>
  );
}
