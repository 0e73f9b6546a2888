/** One alarm: what, since when, how bad, and who has seen it. */
import { Badge, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconAlertTriangle, IconBellRinging, IconCircleCheck } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { alarms, type Alarm } from "@/api/boards";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { ErrorNote } from "@/ui/notes";
import { toast } from "@/ui/toast";
import { Since } from "@/ui/Ticking";
import { isSeen, PAST_ALARMS, stands } from "./alarms";
import { useMeasure } from "./measures";
import classes from "./Floor.module.css";

const LONGEST_NOTE = 200;

export function AlarmCard({ alarm }: { alarm: Alarm }) {
  const { t } = useTranslation(["floor", "common"]);
  const measure = useMeasure();
  const [noting, setNoting] = useState(false);
  const threshold = alarm.threshold;
  const on = stands(alarm);
  const critical = threshold?.severity === "critical";
  const Shown = !on ? IconCircleCheck : critical ? IconBellRinging : IconAlertTriangle;
  const color = !on ? "var(--state-ready)" : critical ? "var(--state-lost)" : "var(--state-ring)";
  const value = (of: number) => measure.value(threshold?.measure ?? "", of);
  return (
    <div className={classes.alarm} data-severity={threshold?.severity} data-state={alarm.state}>
      <Group justify="space-between" gap="sm" wrap="wrap">
        <Group gap="sm" wrap="nowrap" miw={0} style={{ flex: "1 1 240px" }}>
          <Shown size={20} color={color} aria-hidden style={{ flex: "none" }} />
          <div style={{ minWidth: 0 }}>
            <Group gap={8}>
              <Text fw={600} size="sm">
                {threshold?.name || measure.name(threshold?.measure ?? "")}
              </Text>
              {critical && <Badge color="red">{t("severity.critical")}</Badge>}
              {!on && <Badge color="gray">{t("alarms.cleared")}</Badge>}
            </Group>
            <Text size="sm" c="dimmed">
              {[
                alarm.queue_name || t("alarms.tenant"),
                t("alarms.value", {
                  measure: measure.name(threshold?.measure ?? ""),
                  value: value(alarm.value),
                  worst: value(alarm.worst),
                }),
              ].join(" · ")}
            </Text>
            <Text size="xs" c="dimmed">
              {on ? (
                <>
                  {t("alarms.since")} <Since ms={ms(alarm.raised_at_ms)} />
                </>
              ) : (
                t("alarms.over", {
                  from: when(ms(alarm.raised_at_ms)),
                  to: when(ms(alarm.cleared_at_ms)),
                })
              )}
              {isSeen(alarm) &&
                ` · ${t("alarms.seenBy", { name: alarm.acknowledged_by_name || alarm.acknowledged_by })}`}
              {alarm.note && ` · ${alarm.note}`}
            </Text>
          </div>
        </Group>
        {!isSeen(alarm) && !noting && (
          <Button size="compact-sm" variant="default" onClick={() => setNoting(true)}>
            {t("alarms.acknowledge")}
          </Button>
        )}
      </Group>
      {noting && !isSeen(alarm) && <NoteForm alarm={alarm} onDone={() => setNoting(false)} />}
    </div>
  );
}

function NoteForm({ alarm, onDone }: { alarm: Alarm; onDone: () => void }) {
  const { t } = useTranslation(["floor", "common"]);
  const [note, setNote] = useState("");
  const client = useQueryClient();
  const tooLong = note.length > LONGEST_NOTE;
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/alarms/{alarm_id}:acknowledge", {
          params: { path: { alarm_id: alarm.alarm_id } },
          body: { note: note.trim() },
        }),
      ),
    onSuccess: (seen) => {
      toast(t("alarms.acknowledged"));
      onDone();
      void client.invalidateQueries({ queryKey: PAST_ALARMS });
      // The feed tells it, too; it may be away.
      const all = alarms.get();
      if (!all?.has(seen.alarm_id)) return;
      const next = new Map(all);
      if (stands(seen)) next.set(seen.alarm_id, seen);
      else next.delete(seen.alarm_id);
      alarms.set(next);
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!tooLong) mutate();
  };
  return (
    <form onSubmit={send} noValidate>
      <Stack gap="xs" mt="sm">
        <TextInput
          label={t("alarms.note")}
          description={t("alarms.noteHelp")}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          error={tooLong ? t("alarms.noteLong", { most: LONGEST_NOTE }) : undefined}
          data-autofocus
          autoFocus
        />
        {error && <ErrorNote problem={error} />}
        <Group gap="xs" justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={onDone}>
            {t("common:action.cancel")}
          </Button>
          <Button size="compact-sm" type="submit" loading={isPending}>
            {t("alarms.acknowledge")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
