/** What administrators look at, had whole and kept until it is changed. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { all } from "@/api/all";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";

export type AgentConfig = Schema<"acd.v1.AgentConfig">;
export type QueueConfig = Schema<"acd.v1.QueueConfig">;
export type FlowVersion = Schema<"ivr.v1.FlowVersion">;

/** A list by name, for `useFresh`. */
export type ListName =
  | "users"
  | "agents"
  | "queues"
  | "configs"
  | "defaults"
  | "numbers"
  | "flows"
  | "prompts"
  | "voices"
  | "calendars"
  | "dispositions"
  | "policy"
  | "keys"
  | "tenant";

const key = (name: ListName) => ["admin", name] as const;

/** Lists that hold what was changed are asked for anew, here and on other pages. */
export function useFresh(): (...names: ListName[]) => void {
  const client = useQueryClient();
  return useCallback(
    (...names) => {
      for (const name of names) void client.invalidateQueries({ queryKey: key(name) });
      void client.invalidateQueries({ queryKey: ["options"] });
      void client.invalidateQueries({ queryKey: ["floor"] });
    },
    [client],
  );
}

export function useUsers() {
  return useQuery({
    queryKey: key("users"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/users", { params: { query } })),
        (answer) => answer.users,
      ),
  });
}

/** The routing part of every agent. */
export function useAgentConfigs() {
  return useQuery({
    queryKey: key("agents"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/agent-configs", { params: { query } })),
        (answer) => answer.agents,
      ),
  });
}

/** Queues as they are at the moment. */
export function useQueueViews() {
  return useQuery({
    queryKey: key("queues"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/queues", { params: { query } })),
        (answer) => answer.queues,
      ),
  });
}

/** Queues as they were put. */
export function useQueueConfigs() {
  return useQuery({
    queryKey: key("configs"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/queue-configs", { params: { query } })),
        (answer) => answer.queues,
      ),
  });
}

export function useTenantDefaults() {
  return useQuery({
    queryKey: key("defaults"),
    queryFn: () => told(api.GET("/v1/tenant-defaults")),
  });
}

export function useTenant() {
  return useQuery({ queryKey: key("tenant"), queryFn: () => told(api.GET("/v1/tenant")) });
}

export function useNumbers() {
  return useQuery({
    queryKey: key("numbers"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/numbers", { params: { query } })),
        (answer) => answer.numbers,
      ),
  });
}

export function useFlows() {
  return useQuery({
    queryKey: key("flows"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/flows", { params: { query } })),
        (answer) => answer.flows,
      ),
  });
}

export function usePrompts() {
  return useQuery({
    queryKey: key("prompts"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/prompts", { params: { query } })),
        (answer) => answer.prompts,
      ),
  });
}

/** Languages in which texts can be spoken here. */
export function useVoices() {
  return useQuery({
    queryKey: key("voices"),
    queryFn: async () => (await told(api.GET("/v1/voices"))).languages,
    staleTime: Infinity,
  });
}

export function useCalendars() {
  return useQuery({
    queryKey: key("calendars"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/calendars", { params: { query } })),
        (answer) => answer.calendars,
      ),
  });
}

export function useDispositions() {
  return useQuery({
    queryKey: key("dispositions"),
    queryFn: async () => (await told(api.GET("/v1/dispositions"))).dispositions,
  });
}

export function usePolicy() {
  return useQuery({
    queryKey: key("policy"),
    queryFn: () => told(api.GET("/v1/recording-policy")),
  });
}

export function useApiKeys() {
  return useQuery({
    queryKey: key("keys"),
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/api-keys", { params: { query } })),
        (answer) => answer.keys,
      ),
  });
}
