/** Routing's receipt of one stay: who could take it, who could not and why. */
import { Group, List, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Receipt, type Schema } from "@/api/types";
import { useWhyNot } from "@/floor/words";
import { when } from "@/i18n/format";
import { ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { useAgentOptions } from "./people";

interface Props {
  entry: Schema<"analytics.v1.Entry"> | null;
  onClose: () => void;
}

export function ReceiptPanel({ entry, onClose }: Props) {
  const { t } = useTranslation("contacts");
  const id = entry?.entry_id ?? "";
  const receipt = useQuery({
    queryKey: ["receipt", id],
    enabled: entry !== null,
    staleTime: 0,
    queryFn: () =>
      told(api.GET("/v1/entries/{entry_id}:explain", { params: { path: { entry_id: id } } })),
  });
  return (
    <SidePanel opened={entry !== null} title={t("receipt.title")} onClose={onClose}>
      {receipt.error && (
        <ErrorNote problem={receipt.error} onRetry={() => void receipt.refetch()} />
      )}
      {!receipt.data && !receipt.error && <Rows rows={4} height={28} />}
      {receipt.data && <Words receipt={receipt.data} />}
    </SidePanel>
  );
}

function Words({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("contacts");
  const whyNot = useWhyNot();
  const agents = useAgentOptions();
  const name = (id: string) => agents.find((each) => each.value === id)?.label ?? id;
  return (
    <Stack gap="lg">
      <Text>
        {receipt.winner
          ? t("receipt.winner", { who: name(receipt.winner), at: when(ms(receipt.at_ms)) })
          : t("receipt.nobody", { at: when(ms(receipt.at_ms)) })}
      </Text>
      <Text size="sm" c="dimmed">
        {t("receipt.qualified", { count: Number(receipt.qualified_count) })}
      </Text>
      {receipt.candidates.length > 0 && (
        <Stack gap="xs">
          <Title order={3}>{t("receipt.candidates")}</Title>
          <List type="ordered" size="sm" spacing={4}>
            {receipt.candidates.map((each) => (
              <List.Item key={each.agent_id}>{name(each.agent_id)}</List.Item>
            ))}
          </List>
        </Stack>
      )}
      {receipt.exclusions.length > 0 && (
        <Stack gap="xs">
          <Title order={3}>{t("receipt.excluded")}</Title>
          {receipt.exclusions.map((each) => (
            <Group key={each.agent_id} justify="space-between" gap="sm">
              <Text size="sm">{name(each.agent_id)}</Text>
              <Text size="sm" c="dimmed">
                {whyNot(each.reason)}
              </Text>
            </Group>
          ))}
        </Stack>
      )}
    </Stack>
  );
}
