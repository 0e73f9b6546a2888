/** Reports, fetched as the address says. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, told } from "@/api/client";
import { labelOf } from "./behind";
import type { Range } from "./ranges";
import type { Grouping, Kpi, ReportState } from "./state";

const MINUTE_MS = 60_000;

/** Every KPI there is. */
export function useKpis() {
  return useQuery({
    queryKey: ["kpis"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => told(api.GET("/v1/kpis")),
  });
}

/** Labels of the KPIs that say something about queues, or about agents; undefined: not known yet. */
export function useFitting(queues: boolean, agents: boolean, all: Kpi[] | undefined) {
  // Nobody has this id: the answer is one row without a record, of the figures that there can be.
  const nobody = ["-"];
  const probe = useQuery({
    queryKey: ["fitting", queues, agents],
    enabled: queues || agents,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      told(
        api.GET("/v1/reports", {
          params: {
            query: {
              from_ms: 1,
              to_ms: 2,
              by: "total",
              ...(queues && { queue_ids: nobody }),
              ...(agents && { agent_ids: nobody }),
            },
          },
        }),
      ),
  });
  const found = queues || agents ? probe.data?.rows[0]?.figures : all;
  const labels = useMemo(() => (found ? new Set(found.map(labelOf)) : undefined), [found]);
  return { labels, problem: probe.error, retry: () => void probe.refetch() };
}

/** A report; none while nothing is chosen. */
export function useReport(state: ReportState, by: Grouping, range: Range | null, kpis: Kpi[]) {
  const labels = kpis.map(labelOf);
  const query = {
    from_ms: range?.fromMs ?? 0,
    to_ms: range?.toMs ?? 0,
    by,
    kpis: labels,
    queue_ids: state.queues,
    agent_ids: state.agents,
    ...(state.thresholdS > 0 && { threshold_s: state.thresholdS }),
  };
  return useQuery({
    queryKey: ["report", query],
    enabled: range !== null && labels.length > 0,
    staleTime: MINUTE_MS,
    placeholderData: keepPreviousData,
    queryFn: () => told(api.GET("/v1/reports", { params: { query } })),
  });
}
