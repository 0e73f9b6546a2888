/** Calls, whether or not they came to a queue. */
import { Box } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { useGo } from "@/app/go";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { usePaged } from "@/ui/paged";
import { PAGE, recordQuery, type Asked } from "./asked";
import { CALL_OUTCOMES, CallOutcome } from "./Outcome";
import { useSay } from "./useSay";
import { endingWords } from "./words";

type Call = Schema<"analytics.v1.Call">;

export function Calls({ asked }: { asked: Asked }) {
  const { t } = useTranslation("contacts");
  const say = useSay();
  const go = useGo();
  const phone = usePhone();
  const { range, behind, denominator, outcomes } = asked;
  const records = usePaged({
    queryKey: ["records", "calls", range, behind, denominator, outcomes],
    read: (token) =>
      told(
        api.GET("/v1/call-records", {
          params: { query: { ...recordQuery(asked, token, PAGE), outcomes } },
        }),
      ),
    rowsOf: (answer) => answer.calls,
  });
  const outcome = (row: Call) => {
    const known = CALL_OUTCOMES.find((each) => each === row.outcome);
    return known ? t(`callOutcome.${known}`) : row.outcome;
  };
  const number = (text: string) => (
    <span className="tabular" style={{ whiteSpace: "nowrap" }}>
      {phone(text) || "–"}
    </span>
  );
  const columns: Column<Call>[] = [
    {
      id: "began",
      title: t("list.began"),
      value: (row) => ms(row.started_at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.started_at_ms))}</span>,
    },
    {
      id: "from",
      title: t("list.caller"),
      value: (row) => phone(row.from) || "–",
      cell: (row) => (
        <>
          {number(row.from)}
          <Box hiddenFrom="sm" mt={4}>
            <CallOutcome outcome={row.outcome} />
          </Box>
        </>
      ),
    },
    {
      id: "to",
      title: t("list.called"),
      value: (row) => phone(row.to) || "–",
      cell: (row) => number(row.to),
      from: "md",
    },
    {
      id: "outcome",
      title: t("list.outcome"),
      value: outcome,
      cell: (row) => <CallOutcome outcome={row.outcome} />,
      from: "sm",
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
      from: "sm",
    },
    {
      id: "ending",
      title: t("list.ending"),
      value: (row) => endingWords(row.termination, say),
      from: "md",
    },
  ];
  return (
    <DataTable
      label={t("tab.calls")}
      columns={columns}
      rowKey={(row) => row.call_id}
      {...records}
      onOpen={(row) => go(`/contacts/${encodeURIComponent(row.call_id)}`)}
      sortBy={{ id: "began", desc: true }}
      empty={
        <Empty icon={IconPhone} title={t("list.noCalls")}>
          {t(behind ? "list.noneBehind" : "list.noneHelp")}
        </Empty>
      }
    />
  );
}
