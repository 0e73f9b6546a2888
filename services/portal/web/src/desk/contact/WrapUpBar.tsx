/** The time that is left to finish a contact's work; more of it, or the end of it. */
import { Button, Group, Progress, Stack, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconClockPlus } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { ms } from "@/api/types";
import { useHint } from "@/app/keys";
import { useShortcuts } from "@/app/shortcuts";
import { length } from "@/i18n/format";
import { StateBadge } from "@/ui/StateBadge";
import { Since, Until, useSecond } from "@/ui/Ticking";
import { toastProblem } from "@/ui/toast";
import { finish } from "../phone/commands";
import { useCommand } from "../useCommand";
import type { WrapUp } from "../work";
import { idOf } from "../words";
import type { DispositionState } from "./useDisposition";
import classes from "../Desk.module.css";

interface Props {
  work: DeskWork;
  wrap: WrapUp;
  disposition: DispositionState;
}

export function WrapUpBar({ work, wrap, disposition }: Props) {
  const { t } = useTranslation("desk");
  const hint = useHint();
  const now = useSecond();
  const id = idOf(work);
  const extend = useCommand("extend");
  const [asked, setAsked] = useState(false);
  const end = useMutation({
    mutationFn: () => finish(id, disposition.code),
    onError: toastProblem,
  });
  const missing = wrap.codeRequired && !disposition.code;
  const early = wrap.mayEndAtMs !== null && wrap.mayEndAtMs > now;
  const leave = () => {
    if (wrap.mayEndAtMs === null || early || end.isPending) return;
    setAsked(missing);
    if (!missing) end.mutate();
  };
  useShortcuts([
    { keys: "w", label: t("wrap.finish"), group: t("keys.call"), run: leave },
    {
      keys: "x",
      label: t("wrap.extend"),
      group: t("keys.call"),
      run: () => wrap.extensions > 0 && extend.mutate(id),
    },
  ]);
  const began = ms(work.reservation?.since_ms);
  const whole = Math.max(1, wrap.endsAtMs - began);
  const left = Math.max(0, wrap.endsAtMs - now);
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Group gap="sm">
          <StateBadge state="wrap_up" />
          <Text className={classes.timer}>
            {wrap.endsAtMs > 0 ? <Until ms={wrap.endsAtMs} /> : <Since ms={began} />}
          </Text>
          <Text size="sm" c="dimmed">
            {t(wrap.endsAtMs > 0 ? "wrap.left" : "wrap.open")}
          </Text>
        </Group>
        <Group gap="xs">
          {wrap.extensions > 0 && (
            <Tooltip label={hint(t("wrap.extend"), "X")}>
              <Button
                variant="default"
                leftSection={<IconClockPlus size={18} aria-hidden />}
                loading={extend.isPending}
                onClick={() => extend.mutate(id)}
              >
                {t("wrap.more", { length: length(wrap.extensionMs), count: wrap.extensions })}
              </Button>
            </Tooltip>
          )}
          {wrap.mayEndAtMs !== null && (
            <Tooltip label={hint(t("wrap.finish"), "W")}>
              <Button
                leftSection={<IconCheck size={18} aria-hidden />}
                disabled={early}
                loading={end.isPending}
                onClick={leave}
              >
                {t("wrap.finish")}
              </Button>
            </Tooltip>
          )}
        </Group>
      </Group>
      {wrap.endsAtMs > 0 && (
        <Progress
          value={(left / whole) * 100}
          size="sm"
          color="var(--state-wrap)"
          aria-label={t("wrap.left")}
          transitionDuration={0}
        />
      )}
      {asked && missing ? (
        <Text size="sm" c="var(--state-lost)" role="alert">
          {t("wrap.codeFirst")}
        </Text>
      ) : (
        <Text size="sm" c="dimmed">
          {wrap.mayEndAtMs === null
            ? t("wrap.forced")
            : early
              ? t("wrap.early", { length: length(wrap.mayEndAtMs - now) })
              : t(wrap.codeRequired ? "wrap.required" : "wrap.help")}
        </Text>
      )}
    </Stack>
  );
}
