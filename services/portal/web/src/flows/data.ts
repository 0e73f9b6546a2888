/** Flows, their versions, and what changes with them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo } from "react";
import { all } from "@/api/all";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { useFlows, useFresh } from "@/admin/common/data";
import { pretty } from "@/ui/json";

export type FlowVersion = Schema<"ivr.v1.FlowVersion">;
export type Fault = Schema<"ivr.v1.FlowProblem">;

/** One flow of the list. */
export interface Row {
  id: string;
  name: string;
  newest: FlowVersion;
  /** 0: none. */
  published: number;
}

function version(flow_id: string, number: number) {
  const params = { path: { flow_id }, query: { version: number } };
  return told(api.GET("/v1/flows/{flow_id}", { params }));
}

export function useRows() {
  const flows = useFlows();
  const rows = useMemo(
    () =>
      flows.data?.map((newest): Row => ({
        id: newest.flow_id,
        name: newest.name || newest.flow_id,
        newest,
        published: newest.published_version,
      })),
    [flows.data],
  );
  return { ...flows, data: rows };
}

/** The versions of a flow, newest first. */
export function useVersions(flow_id: string) {
  return useQuery({
    queryKey: ["admin", "flows", flow_id, "versions"],
    queryFn: () =>
      all(
        (query) =>
          told(api.GET("/v1/flows/{flow_id}/versions", { params: { path: { flow_id }, query } })),
        (answer) => answer.versions,
      ),
  });
}

/** One version with its text; it never changes. */
export function useText(flow_id: string, number: number) {
  return useQuery({
    queryKey: ["flow-text", flow_id, number],
    queryFn: async () => inLines((await version(flow_id, number)).definition_json),
    enabled: number > 0,
    staleTime: Infinity,
  });
}

/** A program may have stored it in a single line, which nobody reads and no comparison shows. */
function inLines(text: string): string {
  return text.trim().includes("\n") ? text : pretty(text);
}

/** Stores a text as the newest version. */
export function usePut(flow_id: string, onSaved: (saved: FlowVersion) => void) {
  const fresh = useFresh();
  return useMutation({
    mutationFn: (definition_json: string) =>
      told(
        api.POST("/v1/flows/{flow_id}/versions", {
          params: { path: { flow_id } },
          body: { definition_json },
        }),
      ),
    onSuccess: (saved) => {
      fresh("flows");
      onSaved(saved);
    },
  });
}

/** What is wrong with a text, as it is being written. */
export function useFaults(text: string) {
  const [asked] = useDebouncedValue(text, 400);
  const found = useQuery({
    queryKey: ["flow-check", asked],
    queryFn: async () =>
      (await told(api.POST("/v1/flows:check", { body: { definition_json: asked } }))).problems,
    enabled: asked !== "",
    staleTime: 60_000,
    gcTime: 60_000,
    placeholderData: (before) => before,
  });
  return {
    faults: found.data ?? [],
    checking: asked !== text || found.isFetching,
    problem: found.error,
  };
}
