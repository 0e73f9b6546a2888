/** Stays in queues. */
import { IconHistory } from "@tabler/icons-react";
import { Box, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { useGo } from "@/app/go";
import { useLabels } from "@/desk/customer/useLabels";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { usePaged } from "@/ui/paged";
import { Since } from "@/ui/Ticking";
import { PAGE, recordQuery, type Asked } from "./asked";
import { Outcome, EXITS } from "./Outcome";

type Entry = Schema<"analytics.v1.Entry">;

export function Entries({ asked }: { asked: Asked }) {
  const { t } = useTranslation("contacts");
  const go = useGo();
  const phone = usePhone();
  const labels = useLabels();
  const records = usePaged({
    queryKey: ["records", "entries", asked],
    read: (token) =>
      told(
        api.GET("/v1/entries", {
          params: {
            query: {
              ...recordQuery(asked, token, PAGE),
              queue_ids: asked.queues,
              agent_ids: asked.agents,
              exits: asked.exits,
              ...(asked.threshold > 0 && { threshold_s: asked.threshold }),
            },
          },
        }),
      ),
    rowsOf: (answer) => answer.entries,
  });
  const who = (row: Entry) => phone(row.attributes.from ?? row.attributes.caller ?? "");
  const exit = (row: Entry) => {
    const known = EXITS.find((each) => each === row.exit);
    return known ? t(`exit.${known}`) : row.exit;
  };
  const columns: Column<Entry>[] = [
    {
      id: "offered",
      title: t("list.offered"),
      value: (row) => ms(row.offered_at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.offered_at_ms))}</span>,
    },
    {
      id: "who",
      title: t("list.caller"),
      value: (row) => `${row.attributes.customer_name ?? ""} ${who(row)}`.trim() || "–",
      cell: (row) => (
        <Stack gap={0}>
          {row.attributes.customer_name && (
            <Text span size="sm" fw={540}>
              {row.attributes.customer_name}
            </Text>
          )}
          <Text
            span
            size="sm"
            {...(row.attributes.customer_name && { c: "dimmed" })}
            style={{ whiteSpace: "nowrap" }}
          >
            {who(row) || "–"}
          </Text>
          <Box hiddenFrom="sm" mt={4}>
            <Outcome exit={row.exit} />
          </Box>
        </Stack>
      ),
    },
    { id: "queue", title: t("list.queue"), value: (row) => row.queue_name, from: "sm" },
    {
      id: "exit",
      title: t("list.outcome"),
      value: exit,
      cell: (row) => <Outcome exit={row.exit} />,
      from: "sm",
    },
    {
      id: "wait",
      title: t("list.wait"),
      align: "right",
      value: (row) => ms(row.wait_ms),
      cell: (row) =>
        row.exit === "waiting" ? (
          <Since ms={ms(row.offered_at_ms)} />
        ) : (
          <span className="tabular">{length(ms(row.wait_ms))}</span>
        ),
      from: "sm",
    },
    { id: "agent", title: t("list.agent"), value: (row) => row.agent_name || "–", from: "md" },
    {
      id: "talk",
      title: t("list.talk"),
      align: "right",
      value: (row) => ms(row.talk_ms),
      cell: (row) => (
        <span className="tabular">{ms(row.talk_ms) ? length(ms(row.talk_ms)) : "–"}</span>
      ),
      from: "md",
    },
    {
      id: "disposition",
      title: t("list.disposition"),
      value: (row) => labels([row.disposition]) || "–",
      from: "lg",
    },
  ];
  return (
    <DataTable
      key={JSON.stringify(asked)}
      label={t("tab.entries")}
      columns={columns}
      rowKey={(row) => row.entry_id}
      {...records}
      onOpen={(row) => go(`/contacts/${encodeURIComponent(row.contact_id)}`)}
      sortBy={{ id: "offered", desc: true }}
      empty={
        <Empty icon={IconHistory} title={t("list.none")}>
          {t(asked.behind ? "list.noneBehind" : "list.noneHelp")}
        </Empty>
      }
    />
  );
}
