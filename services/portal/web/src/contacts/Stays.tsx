/** A contact's stays in queues, each with the way to why it went as it went. */
import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconRoute } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ms, type Schema } from "@/api/types";
import { useLabels } from "@/desk/customer/useLabels";
import { length, when } from "@/i18n/format";
import { Facts } from "@/recordings/Facts";
import { Since } from "@/ui/Ticking";
import { Outcome } from "./Outcome";
import { ReceiptPanel } from "./ReceiptPanel";

type Entry = Schema<"analytics.v1.Entry">;

/** What its receipt answers; of stays that came to nobody, how routing went about it. */
const WHY: Record<string, "story.whyWaiting" | "story.whyAgent"> = {
  waiting: "story.whyWaiting",
  answered: "story.whyAgent",
};

export function Stays({ entries }: { entries: Entry[] }) {
  const { t } = useTranslation("contacts");
  const labels = useLabels();
  const [asked, setAsked] = useState<Entry | null>(null);
  const long = (value: string) => (ms(value) > 0 ? length(ms(value)) : "");
  return (
    <Paper className="panel" p={{ base: "md", sm: "lg" }}>
      <Stack gap="md">
        <Title order={2} fz="1rem">
          {t("story.stays")}
        </Title>
        {entries.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("story.noStays")}
          </Text>
        )}
        {entries.map((entry) => (
          <Stack key={entry.entry_id} gap="sm">
            <Group justify="space-between" gap="xs">
              <Text fw={600}>{entry.queue_name || entry.queue_id}</Text>
              <Outcome exit={entry.exit} />
            </Group>
            <Facts
              facts={[
                { name: t("list.offered"), value: when(ms(entry.offered_at_ms)) },
                {
                  name: t("list.wait"),
                  value:
                    entry.exit === "waiting" ? (
                      <Since ms={ms(entry.offered_at_ms)} />
                    ) : (
                      length(ms(entry.wait_ms))
                    ),
                },
                { name: t("list.agent"), value: entry.agent_name || entry.agent_id },
                { name: t("list.talk"), value: long(entry.talk_ms) },
                { name: t("list.hold"), value: long(entry.hold_ms) },
                { name: t("list.wrapUp"), value: long(entry.wrap_up_ms) },
                { name: t("list.disposition"), value: labels([entry.disposition]) },
                {
                  name: t("list.ringFailures"),
                  value: entry.ring_failures > 0 ? entry.ring_failures : "",
                },
              ]}
            />
            <Button
              variant="default"
              size="compact-sm"
              w="fit-content"
              leftSection={<IconRoute size={15} aria-hidden />}
              onClick={() => setAsked(entry)}
            >
              {t(WHY[entry.exit] ?? "story.whyRouted")}
            </Button>
          </Stack>
        ))}
      </Stack>
      <ReceiptPanel entry={asked} onClose={() => setAsked(null)} />
    </Paper>
  );
}
