/** Why somebody still waits, from routing's own receipt. */
import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { waiting, type WaitingRow } from "@/api/boards";
import { api, told } from "@/api/client";
import { usePart } from "@/api/store";
import { Link } from "@/app/go";
import { clock } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { Since } from "@/ui/Ticking";
import { ms } from "@/api/types";
import { callerOf, waitsSince } from "./counts";
import { Fact } from "./AgentPanel";
import { PriorityForm } from "./PriorityForm";
import { ReceiptWords } from "./ReceiptWords";
import { useKept } from "./useKept";
import { useQueueName } from "./useQueues";
import { Stage } from "./WaitingPanel";

interface Props {
  /** The stay; empty: closed. */
  id: string;
  onClose: () => void;
}

export function WhyPanel({ id: wanted, onClose }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const opened = wanted !== "";
  const id = useKept(wanted, opened);
  const now = usePart(waiting, (line) => line?.rows.get(id));
  const row = useKept(now, now !== undefined);
  const mine = row?.entry_id === id ? row : undefined;
  const receipt = useQuery({
    queryKey: ["floor", "receipt", id],
    queryFn: () =>
      told(api.GET("/v1/entries/{entry_id}:explain", { params: { path: { entry_id: id } } })),
    enabled: opened && now !== undefined,
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <SidePanel opened={opened} onClose={onClose} title={t("why.title")} size={520}>
      {mine && <Who row={mine} />}
      {!now && (
        <Alert color="teal" variant="light" role="status">
          <Group gap="sm">
            <Text size="sm">{t("why.gone")}</Text>
            {mine && (
              <Anchor
                component={Link}
                size="sm"
                href={`/contacts/${encodeURIComponent(mine.contact.contact_id)}`}
              >
                {t("waiting.story")}
              </Anchor>
            )}
          </Group>
        </Alert>
      )}
      {receipt.data ? (
        <ReceiptWords receipt={receipt.data} />
      ) : receipt.error ? (
        <ErrorNote problem={receipt.error} onRetry={() => void receipt.refetch()} />
      ) : (
        now && <Rows rows={4} height={56} />
      )}
      {receipt.data && now && (
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            {t("why.asOf", { time: clock(ms(receipt.data.at_ms)) })}
          </Text>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconRefresh size={15} aria-hidden />}
            loading={receipt.isFetching}
            onClick={() => void receipt.refetch()}
          >
            {t("common:action.refresh")}
          </Button>
        </Group>
      )}
      {now && <PriorityForm row={now} onDone={() => void receipt.refetch()} />}
    </SidePanel>
  );
}

function Who({ row }: { row: WaitingRow }) {
  const { t } = useTranslation("floor");
  const phone = usePhone();
  const queueName = useQueueName();
  const { name, number } = callerOf(row.contact);
  return (
    <Stack gap={6}>
      <Text fw={620} size="lg" className="tabular">
        {[name, phone(number)].filter(Boolean).join(" · ") || t("waiting.withheld")}
      </Text>
      <Group gap="xl" align="flex-start">
        <Fact label={t("waiting.queue")}>
          <Text size="sm">{queueName(row.contact.queue_id)}</Text>
        </Fact>
        <Fact label={t("waiting.wait")}>
          <Text size="sm">
            <Since ms={waitsSince(row)} />
          </Text>
        </Fact>
        <Fact label={t("waiting.stage")}>
          <Stage stage={row.stage} />
        </Fact>
      </Group>
    </Stack>
  );
}
