/** Pausing the recording with a reason, for example while card data is told. */
import { Button, Menu, Tooltip } from "@mantine/core";
import { IconPlayerRecord, IconPlayerRecordFilled } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { useHint } from "@/app/keys";
import { useShortcuts } from "@/app/shortcuts";
import { toastProblem } from "@/ui/toast";
import { pauseRecording } from "../phone/commands";
import { useCommand } from "../useCommand";
import { idOf } from "../words";
import { Control } from "./Controls";
import classes from "../Desk.module.css";

const REASONS = ["card", "personal", "asked"] as const;

export function RecordingControl({ work, disabled }: { work: DeskWork; disabled: boolean }) {
  const { t } = useTranslation("desk");
  const hint = useHint();
  const [opened, setOpened] = useState(false);
  const id = idOf(work);
  const resume = useCommand("resumeRecording");
  const pause = useMutation({
    mutationFn: (reason: string) => pauseRecording(id, reason),
    onError: toastProblem,
  });
  const { recording } = work;
  useShortcuts([
    {
      keys: "p",
      label: t("recording.pauseOrResume"),
      group: t("keys.call"),
      run: () => {
        if (disabled) return;
        if (recording === "paused") resume.mutate(id);
        if (recording === "on") setOpened(true);
      },
    },
  ]);
  if (recording === "paused")
    return (
      <Control
        icon={IconPlayerRecord}
        label={t("recording.resume")}
        keys="P"
        pressed
        disabled={disabled || resume.isPending}
        onClick={() => resume.mutate(id)}
      />
    );
  return (
    <Menu opened={opened} onChange={setOpened} shadow="md" withArrow>
      <Menu.Target>
        <Tooltip
          label={recording === "on" ? hint(t("recording.pause"), "P") : t("recording.off")}
          disabled={opened}
        >
          <Button
            className={classes.control}
            variant="default"
            disabled={disabled || recording !== "on" || pause.isPending}
            leftSection={
              <IconPlayerRecordFilled
                size={20}
                color={recording === "on" ? "var(--state-lost)" : undefined}
                aria-hidden
              />
            }
          >
            {t(recording === "on" ? "recording.pause" : "recording.off")}
          </Button>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("recording.why")}</Menu.Label>
        {REASONS.map((reason) => (
          <Menu.Item key={reason} onClick={() => pause.mutate(t(`recording.reasons.${reason}`))}>
            {t(`recording.reasons.${reason}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
