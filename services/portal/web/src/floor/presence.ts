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

/** What one agent is to be. */
export interface Wish {
  id: string;
  presence: string;
  /** Of a break. */
  reason: string;
}

type Ask = (wish: Wish) => Promise<AgentView>;

/** Asks for each agent, a few at a time, and says how it came out for all of them. */
export async function eachOf(wishes: readonly Wish[], ask: Ask): Promise<Outcome> {
  const outcome: Outcome = { done: [], later: [], failed: [] };
  const left = [...wishes];
  const work = async () => {
    for (let wish = left.shift(); wish !== undefined; wish = left.shift()) {
      try {
        const view = await ask(wish);
        (view.pending === wish.presence ? outcome.later : outcome.done).push(view);
      } catch (thrown) {
        outcome.failed.push({ id: wish.id, problem: asProblem(thrown) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, wishes.length) }, work));
  return outcome;
}

/** The same at the server. */
export function setPresence(wishes: readonly Wish[]): Promise<Outcome> {
  return eachOf(wishes, ({ id, presence, reason }) =>
    told(
      api.POST("/v1/agents/{agent_id}:set-presence", {
        params: { path: { agent_id: id } },
        body: { presence, ...(presence === "break" && { reason }) },
      }),
    ),
  );
}

/** What agents are, or will be when their contact ends: asked for, it takes a change back. */
export function asTheyAre(agents: readonly AgentView[]): Wish[] {
  return agents.map(({ agent_id, pending, presence, reason }) => ({
    id: agent_id,
    presence: pending ?? presence,
    reason: pending ? "" : reason,
  }));
}
