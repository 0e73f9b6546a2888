/** A report as a sheet, with names and units in its head. */
import { useTranslation } from "react-i18next";
import { zone } from "@/i18n/format";
import type { Cell, Sheet } from "./exported";
import { exportedValue } from "./exported";
import { useKpiWords } from "./kpiWords";
import { momentText } from "./ranges";
import { figureOf, isByTime, rowBefore, type Kpi, type ReportRow, type ReportState } from "./state";

interface Parts {
  state: ReportState;
  kpis: Kpi[];
  rows: ReportRow[];
  before: ReportRow[] | undefined;
  nameOf: (row: ReportRow) => string;
}

const UNITS = ["percent", "ms", "count", "per_hour"] as const;

export function useSheet(): (parts: Parts) => Sheet {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  return ({ state, kpis, rows, before, nameOf }) => {
    const byTime = isByTime(state.by);
    const old = state.compare && before !== undefined;
    const titles = kpis.flatMap((kpi) => {
      const unit = UNITS.find((each) => each === kpi.unit);
      const title = unit ? `${words.full(kpi)} [${t(`unit.${unit}`)}]` : words.full(kpi);
      return old ? [title, t("before.title", { title })] : [title];
    });
    const name = t(`by.${state.by}`);
    return {
      head: [byTime ? `${name} (${zone()})` : name, ...titles],
      rows: rows.map((row, place) => {
        const past = rowBefore(before, row, place, state.by);
        return [
          byTime ? momentText(Number(row.key), zone()).replace("T", " ") : nameOf(row),
          ...kpis.flatMap((kpi): Cell[] => {
            const now = exportedValue(figureOf(row, kpi)?.value, kpi.unit);
            return old ? [now, exportedValue(figureOf(past, kpi)?.value, kpi.unit)] : [now];
          }),
        ];
      }),
    };
  };
}
