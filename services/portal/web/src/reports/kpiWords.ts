/** KPIs in the person's language; those that the catalogue does not know in the server's words. */
import i18next from "i18next";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/types";
import { labelOf } from "./behind";

export type Kpi = Schema<"analytics.v1.Kpi">;

export interface KpiWords {
  /** `Service level`. */
  name: (kpi: Pick<Kpi, "kpi" | "name">) => string;
  /** `Service level (V3)`; only where there are several. */
  full: (kpi: Pick<Kpi, "kpi" | "name" | "variant">) => string;
  formula: (kpi: Kpi) => string;
}

/** The formulas that the catalogue says in words; a newer one is shown in the server's. */
const TRANSLATED_VERSION = 1;

/** A key of a catalogue: dots and colons mean something there. */
function keyOf(label: string): string {
  return label.replace(":", "-");
}

export function useKpiWords(): KpiWords {
  const { t } = useTranslation("reports");
  return useMemo(() => {
    const words = (key: string, otherwise: string) =>
      i18next.exists(key, { ns: "reports" }) ? String(t(key as "range.label")) : otherwise;
    const name: KpiWords["name"] = (kpi) => words(`kpi.${kpi.kpi}`, kpi.name);
    return {
      name,
      full: (kpi) => (kpi.variant ? `${name(kpi)} (${kpi.variant})` : name(kpi)),
      formula: (kpi) =>
        kpi.version === TRANSLATED_VERSION
          ? words(`formula.${keyOf(labelOf(kpi))}`, kpi.formula)
          : kpi.formula,
    };
  }, [t]);
}
