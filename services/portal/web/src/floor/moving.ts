/** Moving agents between queues, and taking it back. */
import { api, told } from "@/api/client";
import type { AgentView, Schema } from "@/api/types";

export type Moved = Schema<"acd.v1.MembershipsResponse">;

/** Agents in one step at most. */
export const MOST = 500;

export type MoveFault = "nothing" | "both" | "tooMany";

/** What speaks against a move; null: nothing. */
export function faultOf(ids: readonly string[], from: string[], to: string[]): MoveFault | null {
  if (ids.length > MOST) return "tooMany";
  if (from.length === 0 && to.length === 0) return "nothing";
  return from.some((queue) => to.includes(queue)) ? "both" : null;
}

/** Queues that at least one of the agents serves, with how many of them do. */
export function servedBy(agents: readonly AgentView[]): Map<string, number> {
  const served = new Map<string, number>();
  for (const agent of agents)
    for (const queue of agent.queue_ids) served.set(queue, (served.get(queue) ?? 0) + 1);
  return served;
}

export function move(agent_ids: string[], from: string[], to: string[]): Promise<Moved> {
  return told(
    api.POST("/v1/agents:move", {
      body: { agent_ids, from_queue_ids: from, to: to.map((queue_id) => ({ queue_id })) },
    }),
  );
}

/** Gives everybody back what they had. */
export function undo(moved: Moved): Promise<Moved> {
  return told(api.POST("/v1/agents:set-memberships", { body: { agents: moved.before } }));
}
