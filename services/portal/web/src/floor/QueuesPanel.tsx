/** Every queue at a glance. */
import { Group, Table, Title } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { QueueView } from "@/api/types";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { EmergencyPanel } from "./EmergencyPanel";
import { QueueRow } from "./QueueRow";
import { useHistory } from "./useHistory";
import { useFreshQueues, useQueues } from "./useQueues";
import classes from "./Floor.module.css";

interface Props {
  /** Shows a queue's agents on the board. */
  onAgents: (queueId: string) => void;
}

export function QueuesPanel({ onAgents }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const queues = useQueues();
  useFreshQueues();
  const ids = useMemo(() => (queues.data ?? []).map((queue) => queue.queue_id), [queues.data]);
  useHistory(ids);
  const [closing, setClosing] = useState<QueueView | null>(null);
  return (
    <section className={`panel ${classes.part}`} aria-labelledby="queues-title">
      <Group p="md" pb={4}>
        <Title order={2} id="queues-title">
          {t("queues.title")}
        </Title>
      </Group>
      {!queues.data ? (
        <div style={{ padding: 16 }}>
          {queues.error ? (
            <ErrorNote problem={queues.error} onRetry={() => void queues.refetch()} />
          ) : (
            <Rows rows={5} height={44} />
          )}
        </div>
      ) : queues.data.length === 0 ? (
        <Empty icon={IconStack2} title={t("queues.none")}>
          {t("queues.noneHelp")}
        </Empty>
      ) : (
        <div className={classes.scroll}>
          <Table verticalSpacing={8} horizontalSpacing={9} className={classes.queues} stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("queues.queue")}</Table.Th>
                <Table.Th ta="right">{t("queues.waiting")}</Table.Th>
                <Table.Th visibleFrom="sm">{t("queues.lineHead")}</Table.Th>
                <Table.Th ta="right" visibleFrom="xs">
                  {t("queues.longest")}
                </Table.Th>
                <Table.Th ta="right" visibleFrom="xs">
                  {t("queues.staff")}
                </Table.Th>
                <Table.Th ta="right">
                  {t("queues.level")}
                  <span className={classes.under}>{t("queues.levelParts")}</span>
                </Table.Th>
                <Table.Th w={52}>
                  <span className={classes.unseen}>{t("queues.actions")}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {queues.data.map((queue) => (
                <QueueRow
                  key={queue.queue_id}
                  queue={queue}
                  onAgents={onAgents}
                  onEmergency={setClosing}
                />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <EmergencyPanel queue={closing} onClose={() => setClosing(null)} />
    </section>
  );
}
