/** Three decisions about recordings; every one of them is enforced. */
import { Alert, Paper, Stack, Switch, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { ask } from "@/ui/Ask";
import { ErrorNote, Rows } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { toastProblem, toastUndo } from "@/ui/toast";
import { usePolicy } from "./common/data";

type Policy = Schema<"recording.v1.Policy">;

export default function RecordingPolicy() {
  const { t } = useTranslation(["admin", "common"]);
  const client = useQueryClient();
  const policy = usePolicy();
  const put = useMutation({
    mutationFn: (next: Policy) => told(api.PUT("/v1/recording-policy", { body: next })),
    onSuccess: (saved) => client.setQueryData(["admin", "policy"], saved),
    onError: toastProblem,
  });
  const data = policy.data;
  const change = async (next: Partial<Policy>) => {
    if (!data) return;
    if (next.record === "never") {
      const sure = await ask({ text: t("policy.sureNever"), yes: t("policy.stop") });
      if (!sure) return;
    }
    put.mutate(
      { ...data, ...next },
      { onSuccess: () => toastUndo(t("common:saved"), () => put.mutate(data)) },
    );
  };
  if (!data)
    return (
      <Page title={t("common:nav.recording-policy")} lead={t("policy.lead")}>
        {policy.error ? (
          <ErrorNote problem={policy.error} onRetry={() => void policy.refetch()} />
        ) : (
          <Rows rows={3} height={84} />
        )}
      </Page>
    );
  const never = data.record === "never";
  return (
    <Page title={t("common:nav.recording-policy")} lead={t("policy.lead")}>
      <Stack maw={760} gap="md">
        <Decision
          label={t("policy.record")}
          on={!never}
          text={t(never ? "policy.recordNever" : "policy.recordFlow")}
          busy={put.isPending}
          onChange={(on) => void change({ record: on ? "flow" : "never" })}
        />
        <Decision
          label={t("policy.listen")}
          on={data.agents_may_listen}
          text={t(data.agents_may_listen ? "policy.listenYes" : "policy.listenNo")}
          busy={put.isPending}
          onChange={(on) => void change({ agents_may_listen: on })}
        />
        <Decision
          label={t("policy.pause")}
          on={data.agents_may_pause}
          text={t(data.agents_may_pause ? "policy.pauseYes" : "policy.pauseNo")}
          busy={put.isPending}
          onChange={(on) => void change({ agents_may_pause: on })}
        />
        <Alert variant="light" icon={<IconInfoCircle aria-hidden />}>
          {t("policy.note")}
        </Alert>
      </Stack>
    </Page>
  );
}

interface DecisionProps {
  label: string;
  /** What follows from it as it is. */
  text: string;
  on: boolean;
  busy: boolean;
  onChange: (on: boolean) => void;
}

function Decision({ label, text, on, busy, onChange }: DecisionProps) {
  return (
    <Paper className="panel" p="lg">
      <Switch
        size="md"
        labelPosition="left"
        checked={on}
        disabled={busy}
        onChange={(event) => onChange(event.currentTarget.checked)}
        styles={{ body: { justifyContent: "space-between" }, labelWrapper: { maxWidth: 560 } }}
        label={
          <Text span fw={560}>
            {label}
          </Text>
        }
        description={
          <Text span size="sm" c="dimmed">
            {text}
          </Text>
        }
      />
    </Paper>
  );
}
