/** One figure of a report, drawn; which one stands in the address. */
import { Group, Paper, Select, Skeleton, Stack } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { figure as written } from "@/i18n/format";
import { Empty } from "@/ui/notes";
import { labelOf } from "./behind";
import { useKpiWords } from "./kpiWords";
import { figureOf, isByTime, rowBefore, type Kpi, type ReportRow, type ReportState } from "./state";

const Chart = lazy(() => import("./Chart"));

interface Props {
  state: ReportState;
  kpis: Kpi[];
  rows: ReportRow[];
  before: ReportRow[] | undefined;
  nameOf: (row: ReportRow) => string;
  onChoose: (label: string | null) => void;
}

export function ReportChart({ state, kpis, rows, before, nameOf, onChoose }: Props) {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  const kpi = kpis.find((each) => labelOf(each) === state.chart) ?? kpis[0];
  const drawn = useMemo(() => {
    if (!kpi) return null;
    const value = (row: ReportRow | undefined) => figureOf(row, kpi)?.value ?? null;
    const now = { name: t("chart.now"), quiet: false, values: rows.map(value) };
    const old = {
      name: t("chart.before"),
      quiet: true,
      values: rows.map((row, place) => value(rowBefore(before, row, place, state.by))),
    };
    return {
      categories: rows.map(nameOf),
      series: state.compare && before ? [now, old] : [now],
      write: (shown: number) => written({ ...kpi, numerator: 0, denominator: 0, value: shown }),
    };
  }, [kpi, rows, before, nameOf, state.by, state.compare, t]);
  if (!kpi || !drawn) return null;
  return (
    <Paper className="panel" p={{ base: "sm", sm: "md" }} component="section">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <Select
            aria-label={t("chart.choose")}
            data={kpis.map((each) => ({ value: labelOf(each), label: words.full(each) }))}
            value={labelOf(kpi)}
            onChange={onChoose}
            allowDeselect={false}
            w={280}
          />
        </Group>
        {drawn.series.every(({ values }) => values.every((each) => !each)) ? (
          <Empty icon={IconChartBar} title={t("chart.nothing")}>
            {t("chart.nothingHelp")}
          </Empty>
        ) : (
          <Suspense fallback={<Skeleton height={320} />}>
            <Chart
              label={t("chart.described", { figure: words.full(kpi), count: rows.length })}
              lines={isByTime(state.by)}
              top={kpi.unit === "percent" ? 100 : undefined}
              {...drawn}
            />
          </Suspense>
        )}
      </Stack>
    </Paper>
  );
}
