/** Agents' time, interval by interval. */
import { IconClock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { length, when } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { usePaged } from "@/ui/paged";
import { StateBadge, STATES } from "@/ui/StateBadge";
import { Since } from "@/ui/Ticking";
import { PAGE, recordQuery, type Asked } from "./asked";

type Interval = Schema<"analytics.v1.Interval">;

export function Intervals({ asked }: { asked: Asked }) {
  const { t } = useTranslation(["contacts", "common"]);
  const records = usePaged({
    queryKey: ["records", "intervals", asked],
    read: (token) =>
      told(
        api.GET("/v1/agent-intervals", {
          params: {
            query: {
              ...recordQuery(asked, token, PAGE),
              queue_ids: asked.queues,
              agent_ids: asked.agents,
            },
          },
        }),
      ),
    rowsOf: (answer) => answer.intervals,
  });
  const state = (row: Interval) => {
    const known = STATES.find((each) => each === row.state);
    return known ? t(`common:state.${known}`) : row.state;
  };
  const columns: Column<Interval>[] = [
    { id: "agent", title: t("list.agent"), value: (row) => row.agent_name || row.agent_id },
    {
      id: "state",
      title: t("list.agentState"),
      value: state,
      cell: (row) => <StateBadge state={row.state} reason={row.reason} />,
    },
    {
      id: "from",
      title: t("list.began"),
      value: (row) => ms(row.from_ms),
      cell: (row) => <span className="tabular">{when(ms(row.from_ms))}</span>,
    },
    {
      id: "length",
      title: t("list.length"),
      align: "right",
      value: (row) => (ms(row.to_ms) || Date.now()) - ms(row.from_ms),
      cell: (row) =>
        ms(row.to_ms) ? (
          <span className="tabular">{length(ms(row.to_ms) - ms(row.from_ms))}</span>
        ) : (
          <Since ms={ms(row.from_ms)} />
        ),
      from: "sm",
    },
  ];
  return (
    <DataTable
      label={t("tab.intervals")}
      columns={columns}
      rowKey={(row) => `${row.agent_id} ${row.version}`}
      {...records}
      sortBy={{ id: "from", desc: true }}
      empty={
        <Empty icon={IconClock} title={t("list.noTime")}>
          {t("list.noTimeHelp")}
        </Empty>
      }
    />
  );
}
