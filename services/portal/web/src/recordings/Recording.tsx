/** One recording: to hear, what is known of it, and the evidence that it is whole. */
import { Button, Group, Paper, Skeleton, Stack, Tabs, Text } from "@mantine/core";
import { IconHistory, IconInfoCircle, IconShieldCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { session } from "@/api/session";
import { ms } from "@/api/types";
import { Link, useParams } from "@/app/go";
import { CustomerLink } from "@/contacts/CustomerLink";
import { useLabels } from "@/desk/customer/useLabels";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { useAddress } from "@/reports/useAddress";
import { ErrorNote } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { Evidence } from "./Evidence";
import { Facts } from "./Facts";
import { RecordingPlayer, useRecording } from "./Player";
import { RecordingState } from "./RecordingState";
import type { RecordingView } from "./strips";

export default function Recording() {
  const { t } = useTranslation(["recordings", "common"]);
  const { id = "" } = useParams<{ id: string }>();
  const phone = usePhone();
  const [params, change] = useAddress();
  const recording = useRecording(id);
  const lead = session.me()?.roles.some((role) => role !== "agent") ?? false;
  const back = { to: "/recordings", label: t("list.title") };
  const shown = recording.data;
  if (recording.error && !shown)
    return (
      <Page title={t("one.title")} back={back}>
        <ErrorNote problem={recording.error} onRetry={() => void recording.refetch()} />
      </Page>
    );
  return (
    <Page
      title={shown ? phone(shown.from) || t("list.withheld") : t("one.title")}
      back={back}
      lead={
        shown ? (
          <Group gap="xs" component="span" display="inline-flex">
            <span className="tabular">{when(ms(shown.started_at_ms))}</span>
            <span>·</span>
            <span className="tabular">{length(ms(shown.duration_ms))}</span>
            <RecordingState state={shown.state} />
          </Group>
        ) : (
          <Skeleton height={18} width={240} component="span" display="inline-block" />
        )
      }
      actions={
        lead && (
          <Button
            component={Link}
            href={`/contacts/${encodeURIComponent(id)}`}
            variant="default"
            leftSection={<IconHistory size={16} aria-hidden />}
          >
            {t("one.story")}
          </Button>
        )
      }
    >
      <Paper className="panel" p={{ base: "md", sm: "lg" }}>
        <RecordingPlayer recordingId={id} shortcuts />
      </Paper>
      <Paper className="panel" p={{ base: "md", sm: "lg" }}>
        <Tabs
          value={lead ? (params.get("tab") ?? "details") : "details"}
          onChange={(tab) => change({ tab: tab === "details" ? null : tab })}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="details" leftSection={<IconInfoCircle size={16} aria-hidden />}>
              {t("one.details")}
            </Tabs.Tab>
            {lead && (
              <Tabs.Tab value="evidence" leftSection={<IconShieldCheck size={16} aria-hidden />}>
                {t("one.evidence")}
              </Tabs.Tab>
            )}
          </Tabs.List>
          <Tabs.Panel value="details">
            {shown ? <Details recording={shown} /> : <Skeleton height={140} />}
          </Tabs.Panel>
          {lead && (
            <Tabs.Panel value="evidence">
              {shown ? <Evidence recording={shown} /> : <Skeleton height={140} />}
            </Tabs.Panel>
          )}
        </Tabs>
      </Paper>
    </Page>
  );
}

/** Attributes that stand among the details already. */
const SHOWN: ReadonlySet<string> = new Set([
  "from",
  "to",
  "caller",
  "customer_name",
  "customer_id",
]);

function Details({ recording }: { recording: RecordingView }) {
  const { t } = useTranslation("recordings");
  const phone = usePhone();
  const labels = useLabels();
  const attributes = Object.entries(recording.attributes).filter(([name]) => !SHOWN.has(name));
  return (
    <Stack gap="lg">
      <Facts
        cols={4}
        facts={[
          { name: t("list.from"), value: phone(recording.from) || t("list.withheld") },
          { name: t("one.customer"), value: <CustomerLink number={recording.from} /> },
          { name: t("list.to"), value: phone(recording.to) },
          { name: t("list.agents"), value: recording.agent_names.join(", ") },
          { name: t("list.queues"), value: recording.queue_names.join(", ") },
          { name: t("one.began"), value: when(ms(recording.started_at_ms)) },
          { name: t("one.ended"), value: when(ms(recording.ended_at_ms)) },
          { name: t("one.dispositions"), value: labels(recording.dispositions) },
          { name: t("one.ref"), value: recording.external_ref },
        ]}
      />
      {attributes.length > 0 && (
        <Stack gap="xs">
          <Text size="sm" fw={600}>
            {t("one.attributes")}
          </Text>
          <Facts cols={4} facts={attributes.map(([name, value]) => ({ name, value }))} />
        </Stack>
      )}
    </Stack>
  );
}
