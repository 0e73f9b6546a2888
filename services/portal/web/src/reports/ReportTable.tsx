/** A report's rows; every figure opens what it was made of. */
import { IconReportAnalytics } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "@mantine/core";
import { figure as written } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { labelOf } from "./behind";
import { FigureInfo } from "./FigureInfo";
import { useKpiWords } from "./kpiWords";
import {
  figureOf,
  isByTime,
  rowBefore,
  rowRange,
  type Kpi,
  type ReportRow,
  type ReportState,
} from "./state";
import classes from "./Reports.module.css";

interface Props {
  state: ReportState;
  kpis: Kpi[];
  rows: ReportRow[] | undefined;
  before: ReportRow[] | undefined;
  nameOf: (row: ReportRow) => string;
  problem: unknown;
  onRetry: () => void;
}

export function ReportTable(props: Props) {
  const { state, kpis, rows, before, nameOf, problem, onRetry } = props;
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  const [open, setOpen] = useState("");
  const placed = rows?.map((row, place) => ({ row, place }));
  const byTime = isByTime(state.by);
  type Placed = NonNullable<typeof placed>[number];

  const cell = ({ row, place }: Placed, kpi: Kpi) => {
    const key = `${row.key} ${labelOf(kpi)}`;
    const figure = figureOf(row, kpi);
    if (figure?.value === undefined) return <span className="quiet">–</span>;
    const shown = (
      <button
        type="button"
        className={`${classes.figure} tabular`}
        aria-label={t("table.figure", { figure: words.full(kpi), value: written(figure) })}
        aria-expanded={open === key}
        onClick={() => setOpen(open === key ? "" : key)}
      >
        {written(figure)}
      </button>
    );
    const old = state.compare && (
      <span className={`${classes.old} tabular`}>
        {written(figureOf(rowBefore(before, row, place, state.by), kpi))}
      </span>
    );
    if (open !== key)
      return (
        <>
          {shown}
          {old}
        </>
      );
    return (
      <>
        <Popover opened onClose={() => setOpen("")} width={320} shadow="md" withArrow trapFocus>
          <Popover.Target>{shown}</Popover.Target>
          <Popover.Dropdown ta="left">
            <FigureInfo
              kpi={kpi}
              figure={figure}
              behind={{
                range: rowRange(rows ?? [], place, state),
                queues: state.by === "queue" ? [row.key] : state.queues,
                agents: state.by === "agent" ? [row.key] : state.agents,
                thresholdS: state.thresholdS,
              }}
            />
          </Popover.Dropdown>
        </Popover>
        {old}
      </>
    );
  };

  const columns: Column<Placed>[] = [
    {
      id: "name",
      title: t(`by.${state.by}`),
      value: ({ row }) => (byTime ? Number(row.key) : nameOf(row)),
      cell: ({ row }) => (
        <span className={byTime ? `tabular ${classes.instant}` : classes.name}>{nameOf(row)}</span>
      ),
    },
    ...kpis.map((kpi): Column<Placed> => ({
      id: labelOf(kpi),
      title:
        kpis.filter((each) => each.kpi === kpi.kpi).length > 1 ? words.full(kpi) : words.name(kpi),
      align: "right",
      value: ({ row }) => figureOf(row, kpi)?.value ?? -1,
      cell: (placed) => cell(placed, kpi),
    })),
  ];
  return (
    <DataTable
      key={`${state.by} ${kpis.map(labelOf).join(" ")}`}
      label={t("table.label")}
      columns={columns}
      rows={placed}
      rowKey={({ row }) => row.key}
      problem={problem}
      onRetry={onRetry}
      perPage={50}
      searchable={!byTime}
      empty={
        <Empty icon={IconReportAnalytics} title={t("table.none")}>
          {t("table.noneHelp")}
        </Empty>
      }
    />
  );
}
