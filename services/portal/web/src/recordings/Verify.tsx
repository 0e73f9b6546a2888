/** Reads every segment again and says in words whether anything was changed. */
import { Alert, Button, Code, Group, List, Progress, Stack, Text, Title } from "@mantine/core";
import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { when } from "@/i18n/format";
import { ErrorNote } from "@/ui/notes";
import { Facts } from "./Facts";
import type { RecordingView } from "./strips";

type Verification = Schema<"recording.v1.Verification">;
const MAX_FAULTS = 50;

export function Verify({ recording }: { recording: RecordingView }) {
  const { t } = useTranslation("recordings");
  const verify = useMutation({
    mutationFn: () =>
      told(
        api.GET("/v1/recordings/{recording_id}:verify", {
          params: { path: { recording_id: recording.recording_id } },
        }),
      ),
  });
  const going = recording.state === "recording";
  return (
    <Stack gap="sm" component="section">
      <Group justify="space-between" gap="sm">
        <Stack gap={2}>
          <Title order={2} fz="1rem">
            {t("verify.title")}
          </Title>
          <Text size="sm" c="dimmed" maw={620}>
            {t(going ? "verify.going" : "verify.lead")}
          </Text>
        </Stack>
        <Button
          onClick={() => verify.mutate()}
          loading={verify.isPending}
          disabled={going}
          variant="light"
          leftSection={<IconShieldCheck size={16} aria-hidden />}
        >
          {t("verify.now")}
        </Button>
      </Group>
      {verify.isPending && (
        <Stack gap={4} role="status">
          <Progress value={100} animated aria-label={t("verify.now")} />
          <Text size="sm" c="dimmed">
            {t("verify.reading", { count: recording.segments })}
          </Text>
        </Stack>
      )}
      {verify.error && <ErrorNote problem={verify.error} onRetry={() => verify.mutate()} />}
      {verify.data && !verify.isPending && <Result found={verify.data} />}
      {!verify.data && recording.sha256 && (
        <Facts facts={[{ name: t("verify.expected"), value: <Hash of={recording.sha256} /> }]} />
      )}
    </Stack>
  );
}

function Result({ found }: { found: Verification }) {
  const { t } = useTranslation("recordings");
  const Shown = found.intact ? IconShieldCheck : IconShieldX;
  return (
    <Alert
      role="status"
      color={found.intact ? "teal" : "red"}
      icon={<Shown aria-hidden />}
      title={t(found.intact ? "verify.intact" : "verify.changed")}
    >
      <Stack gap="sm">
        <Text size="sm">
          {t(found.intact ? "verify.intactHelp" : "verify.changedHelp", {
            count: found.segments_checked,
            at: when(ms(found.at_ms)),
          })}
        </Text>
        <Facts
          facts={[
            { name: t("verify.expected"), value: <Hash of={found.expected_sha256} /> },
            { name: t("verify.computed"), value: <Hash of={found.computed_sha256} /> },
          ]}
        />
        {found.faults.length > 0 && (
          <List size="sm">
            {found.faults.slice(0, MAX_FAULTS).map((fault) => (
              <List.Item key={fault}>{fault}</List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Alert>
  );
}

function Hash({ of: hash }: { of: string }) {
  return <Code style={{ overflowWrap: "anywhere" }}>{hash || "–"}</Code>;
}
