/** Calls, whether or not they came to a queue. */
import { Badge, Group, Switch } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { useGo } from "@/app/go";
import { length, when } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { recordQuery, type Asked } from "./asked";
import { MoreNote } from "./More";
import { PAGE, useRecords } from "./records";
import { useSay } from "./useSay";
import { endingWords } from "./words";

type Call = Schema<"analytics.v1.Call">;

export function Calls({ asked }: { asked: Asked }) {
  const { t } = useTranslation("contacts");
  const say = useSay();
  const go = useGo();
  const [queued, setQueued] = useState(asked.behind !== "");
  const records = useRecords(
    ["calls", asked.range, asked.behind, asked.denominator],
    true,
    (token) =>
      told(api.GET("/v1/call-records", { params: { query: recordQuery(asked, token, PAGE) } })),
    (answer) => answer.calls,
  );
  const rows = queued ? records.rows : records.rows?.filter((call) => !call.queued);
  const columns: Column<Call>[] = [
    {
      id: "began",
      title: t("list.began"),
      value: (row) => ms(row.started_at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.started_at_ms))}</span>,
    },
    {
      id: "length",
      title: t("list.length"),
      align: "right",
      value: (row) => (ms(row.ended_at_ms) ? ms(row.ended_at_ms) - ms(row.started_at_ms) : 0),
      cell: (row) => (
        <span className="tabular">
          {ms(row.ended_at_ms) ? length(ms(row.ended_at_ms) - ms(row.started_at_ms)) : t("list.on")}
        </span>
      ),
    },
    { id: "ending", title: t("list.ending"), value: (row) => endingWords(row.termination, say) },
    {
      id: "way",
      title: t("list.way"),
      value: (row) => Number(row.queued) + Number(row.answered),
      cell: (row) => (
        <Group gap={6}>
          <Badge color="gray">{t(row.queued ? "list.queued" : "list.notQueued")}</Badge>
          {row.answered && <Badge color="teal">{t("exit.answered")}</Badge>}
        </Group>
      ),
      from: "sm",
    },
  ];
  return (
    <>
      <DataTable
        label={t("tab.calls")}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.call_id}
        problem={records.problem}
        onRetry={records.retry}
        onOpen={(row) => go(`/contacts/${encodeURIComponent(row.call_id)}`)}
        sortBy={{ id: "began", desc: true }}
        tools={<QueuedSwitch checked={queued} onChange={setQueued} />}
        empty={
          <Empty
            icon={IconPhone}
            title={t("list.noCalls")}
            action={<QueuedSwitch checked={queued} onChange={setQueued} />}
          >
            {t(queued ? "list.noneHelp" : "list.noCallsHelp")}
          </Empty>
        }
      />
      <MoreNote records={records} />
    </>
  );
}

function QueuedSwitch(props: { checked: boolean; onChange: (checked: boolean) => void }) {
  const { t } = useTranslation("contacts");
  return (
    <Switch
      label={t("list.alsoQueued")}
      checked={props.checked}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
    />
  );
}
