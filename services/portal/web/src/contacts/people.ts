/** Queues and agents to choose from. */
import { useQuery } from "@tanstack/react-query";
import { all } from "@/api/all";
import { api, told } from "@/api/client";

const STALE_MS = 60_000;

export interface Option {
  value: string;
  label: string;
}

/** All queues by name. */
export function useQueueOptions(): Option[] {
  const queues = useQuery({
    queryKey: ["options", "queues"],
    staleTime: STALE_MS,
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/queues", { params: { query } })),
        (answer) => answer.queues,
      ),
  });
  return byName(queues.data?.map((each) => ({ value: each.queue_id, label: each.name })));
}

/** All agents by name; none for those who may not know them. */
export function useAgentOptions(allowed = true): Option[] {
  const agents = useQuery({
    queryKey: ["options", "agents"],
    enabled: allowed,
    staleTime: STALE_MS,
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/agents", { params: { query } })),
        (answer) => answer.agents,
      ),
  });
  return byName(agents.data?.map((each) => ({ value: each.agent_id, label: each.name })));
}

function byName(options: Option[] = []): Option[] {
  return options
    .map((each) => ({ ...each, label: each.label || each.value }))
    .sort((one, other) => one.label.localeCompare(other.label));
}

/** The options, and the chosen ones even when they are not among them any more. */
export function withChosen(options: Option[], chosen: readonly string[]): Option[] {
  const gone = chosen.filter((id) => !options.some((each) => each.value === id));
  return [...options, ...gone.map((id) => ({ value: id, label: id }))];
}
