/** Recordings, searched by the server. */
import { Text } from "@mantine/core";
import { IconWaveSine } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import { ms } from "@/api/types";
import { useGo } from "@/app/go";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { rangeIn, useAddress } from "@/reports/useAddress";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { usePaged } from "@/ui/paged";
import { Since } from "@/ui/Ticking";
import { Filters } from "./Filters";
import { RecordingState } from "./RecordingState";
import type { RecordingView } from "./strips";

const PAGE = 50;

export default function Recordings() {
  const { t } = useTranslation(["recordings", "common"]);
  const go = useGo();
  const phone = usePhone();
  const [params, change] = useAddress();
  const lead = session.me()?.roles.some((role) => role !== "agent") ?? false;
  const { choice, range } = rangeIn(params, "all", Date.now());
  const attribute = params.get("attribute") ?? "";
  const query = {
    agent_id: params.get("agent") ?? "",
    queue_id: params.get("queue") ?? "",
    number: (params.get("number") ?? "").replace(/[^\d+]/g, ""),
    state: params.get("state") ?? "",
    external_ref: params.get("ref") ?? "",
    attributes: attribute.includes("=") ? [attribute] : [],
    from_ms: range?.fromMs ?? 0,
    to_ms: range?.toMs ?? 0,
  };
  const found = usePaged({
    queryKey: ["recordings", query],
    keep: true,
    read: (token) =>
      told(
        api.GET("/v1/recordings", {
          params: { query: { ...set(query), "page.size": PAGE, "page.token": token } },
        }),
      ),
    rowsOf: (answer) => answer.recordings,
  });
  const searched = choice !== "all" || Object.values(set(query)).length > 0;
  const columns: Column<RecordingView>[] = [
    {
      id: "when",
      title: t("list.when"),
      value: (row) => ms(row.started_at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.started_at_ms))}</span>,
    },
    {
      id: "from",
      title: t("list.from"),
      // Who calls is known of a recording once it is complete.
      value: (row) => phone(row.from) || (goesOn(row) ? "–" : t("list.withheld")),
    },
    { id: "to", title: t("list.to"), value: (row) => phone(row.to) || "–", from: "lg" },
    {
      id: "agents",
      title: t("list.agents"),
      value: (row) => row.agent_names.join(", ") || "–",
      from: "sm",
    },
    {
      id: "queues",
      title: t("list.queues"),
      value: (row) => row.queue_names.join(", ") || "–",
      from: "md",
    },
    {
      id: "length",
      title: t("list.length"),
      align: "right",
      value: (row) => ms(row.duration_ms),
      cell: (row) =>
        goesOn(row) ? (
          <Since ms={ms(row.started_at_ms)} />
        ) : (
          <span className="tabular">{length(ms(row.duration_ms))}</span>
        ),
    },
    {
      id: "state",
      title: t("list.state"),
      value: (row) => row.state,
      cell: (row) => <RecordingState state={row.state} />,
      from: "sm",
    },
  ];
  return (
    <Page title={t("list.title")} lead={t(lead ? "list.lead" : "list.leadOwn")}>
      <Filters params={params} change={change} choice={choice} range={range} lead={lead} />
      <DataTable
        label={t("list.title")}
        columns={columns.map((column) => ({ ...column, sort: false }))}
        {...found}
        rowKey={(row) => row.recording_id}
        onOpen={(row) => go(`/recordings/${encodeURIComponent(row.recording_id)}`)}
        searchable={false}
        empty={
          searched ? (
            <Empty icon={IconWaveSine} title={t("common:table.nothingFound")}>
              {t("common:table.nothingFoundHelp")}
            </Empty>
          ) : (
            <Empty icon={IconWaveSine} title={t("list.none")}>
              <Text c="dimmed">{t(lead ? "list.noneHelp" : "list.noneOwn")}</Text>
            </Empty>
          )
        }
      />
    </Page>
  );
}

function goesOn(row: RecordingView): boolean {
  return row.state === "recording";
}

/** Without what is not set: an address of a search that people can read in logs. */
function set<Query extends object>(query: Query): Partial<Query> {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) =>
      Array.isArray(value) ? value.length > 0 : Boolean(value),
    ),
  ) as Partial<Query>;
}
