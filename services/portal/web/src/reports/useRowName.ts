/** What a report's row is about, in words. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { day, hourMinute } from "@/i18n/format";
import type { ReportRow, ReportState } from "./state";

const LONG_DAY_MS = 25 * 3_600_000;

export function useRowName(state: ReportState): (row: ReportRow) => string {
  const { t } = useTranslation("reports");
  const { by } = state;
  const one = state.range.toMs - state.range.fromMs <= LONG_DAY_MS;
  return useCallback(
    (row) => {
      if (by === "total") return t("by.total");
      if (by === "queue" || by === "agent") return row.name || row.key;
      const atMs = Number(row.key);
      if (by === "day") return day(atMs);
      return one ? hourMinute(atMs) : `${day(atMs)}, ${hourMinute(atMs)}`;
    },
    [t, by, one],
  );
}
