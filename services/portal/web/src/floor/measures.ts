/** What is measured, in words and in its unit. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { count, length, percent } from "@/i18n/format";
import { MEASURES, unitOf } from "./thresholds";

export interface MeasureWords {
  name: (measure: string) => string;
  /** A value as the API tells it. */
  value: (measure: string, of: number) => string;
}

export function useMeasure(): MeasureWords {
  const { t } = useTranslation("floor");
  return useMemo(
    () => ({
      name: (measure) => {
        const known = MEASURES.find((each) => each === measure);
        return known ? t(`measure.${known}`) : measure;
      },
      value: (measure, of) => {
        const unit = unitOf(measure);
        if (unit === "percent") return percent(of, 1);
        return unit === "seconds" ? length(of) : count(of);
      },
    }),
    [t],
  );
}
