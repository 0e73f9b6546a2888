/** Figures of the past: chosen, compared, drawn, listed and taken away. */
import { Button } from "@mantine/core";
import { IconAdjustments } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { day, zone } from "@/i18n/format";
import { ErrorNote, Rows } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { Choices } from "./Choices";
import { ExportMenu } from "./ExportMenu";
import { KpiChooser } from "./KpiChooser";
import { before as periodBefore } from "./ranges";
import { ReportChart } from "./ReportChart";
import { ReportTable } from "./ReportTable";
import { begun, chosenKpis, stateIn } from "./state";
import { Totals } from "./Totals";
import { useAddress } from "./useAddress";
import { useFitting, useKpis, useReport } from "./useReport";
import { useRowName } from "./useRowName";
import { useSheet } from "./useSheet";

const NOTHING: never[] = [];

export default function Reports() {
  const { t } = useTranslation(["reports", "common"]);
  const [params, change] = useAddress();
  const [choosing, setChoosing] = useState(false);
  const state = stateIn(params, Date.now());
  const { range, by } = state;
  const kpis = useKpis();
  const ofQueues = state.queues.length > 0;
  const ofAgents = state.agents.length > 0;
  const all = kpis.data?.kpis;
  const inTotal = useFitting(ofQueues, ofAgents, all);
  const inRows = useFitting(ofQueues || by === "queue", ofAgents || by === "agent", all);
  const totals = all && inTotal.labels ? chosenKpis(all, state.kpis, inTotal.labels) : NOTHING;
  const columns = all && inRows.labels ? chosenKpis(all, state.kpis, inRows.labels) : NOTHING;
  const past = state.compare ? periodBefore(range, state.choice, Date.now(), zone()) : null;

  const total = useReport(state, "total", range, totals);
  const totalBefore = useReport(state, "total", pastMinute(past), totals);
  const report = useReport(state, by, by === "total" ? null : range, columns);
  const reportBefore = useReport(state, by, by === "total" ? null : pastMinute(past), columns);

  const nameOf = useRowName(state);
  const sheet = useSheet();
  const found = by === "total" ? total.data : report.data;
  const rows = useMemo(() => found && begun(found.rows, by, Date.now()), [found, by]);
  const rowsBefore = (by === "total" ? totalBefore.data : reportBefore.data)?.rows;
  const old = state.compare ? rowsBefore : undefined;
  const problem = kpis.error ?? inTotal.problem ?? inRows.problem ?? total.error ?? report.error;
  const retry = () => {
    void kpis.refetch();
    inTotal.retry();
    inRows.retry();
    void total.refetch();
    if (by !== "total") void report.refetch();
  };
  const days = [day(range.fromMs), day(range.toMs - 1)];
  const parts = rows && { state, kpis: columns, rows, before: old, nameOf };
  return (
    <Page
      title={t("title")}
      lead={t("lead", { days: [...new Set(days)].join(" – "), zone: zone() })}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconAdjustments size={16} aria-hidden />}
            onClick={() => setChoosing(true)}
            disabled={!inRows.labels}
          >
            {t("kpis.choose")}
          </Button>
          <ExportMenu range={range} sheet={parts ? () => sheet(parts) : null} />
        </>
      }
    >
      <Choices state={state} change={change} />
      {problem && <ErrorNote problem={problem} onRetry={retry} />}
      {!all && !problem && <Rows rows={4} height={84} />}
      {totals.length > 0 && !total.error && (
        <Totals
          kpis={totals}
          row={total.data?.rows[0]}
          before={totalBefore.data?.rows[0]}
          state={state}
        />
      )}
      {by !== "total" && rows && rows.length > 0 && !report.error && (
        <ReportChart
          state={state}
          kpis={columns}
          rows={rows}
          before={old}
          nameOf={nameOf}
          onChoose={(chart) => change({ chart })}
        />
      )}
      {by !== "total" && all && !report.error && (
        <ReportTable
          state={state}
          kpis={columns}
          rows={rows}
          before={old}
          nameOf={nameOf}
          problem={report.error}
          onRetry={retry}
        />
      )}
      {choosing && all && inTotal.labels && (
        <KpiChooser
          all={all}
          fitting={inTotal.labels}
          chosen={chosenKpis(all, state.kpis, inTotal.labels)}
          onChange={(kpi) => change({ kpi })}
          onClose={() => setChoosing(false)}
        />
      )}
    </Page>
  );
}

/** To the minute: what has passed of a period grows with every drawing, its question need not. */
function pastMinute<Range extends { toMs: number }>(range: Range | null): Range | null {
  return range && { ...range, toMs: Math.ceil(range.toMs / 60_000) * 60_000 };
}
