/** Setting the state of one agent or of many. */
import { api, told } from "@/api/client";
import { asProblem, type Problem } from "@/api/problem";
import type { AgentView } from "@/api/types";

export const PRESENCES = ["ready", "break", "signed_out"] as const;
export type Presence = (typeof PRESENCES)[number];

/** Requests under way at once. */
const AT_ONCE = 8;

export interface Outcome {
  /** Who is in the state now. */
  done: AgentView[];
  /** Who will be, once their contact ends. */
  later: AgentView[];
  failed: { id: string; problem: Problem }[];
}

type Ask = (id: string) => Promise<AgentView>;

/** Asks for each agent, a few at a time, and says how it came out for all of them. */
export async function eachOf(
  ids: readonly string[],
  presence: Presence,
  ask: Ask,
): Promise<Outcome> {
  const outcome: Outcome = { done: [], later: [], failed: [] };
  const left = [...ids];
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try {
        const view = await ask(id);
        (view.pending === presence ? outcome.later : outcome.done).push(view);
      } catch (thrown) {
        outcome.failed.push({ id, problem: asProblem(thrown) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  return outcome;
}

/** The same at the server. */
export function setPresence(
  ids: readonly string[],
  presence: Presence,
  reason: string,
): Promise<Outcome> {
  return eachOf(ids, presence, (agent_id) =>
    told(
      api.POST("/v1/agents/{agent_id}:set-presence", {
        params: { path: { agent_id } },
        body: { presence, ...(presence === "break" && { reason }) },
      }),
    ),
  );
}
