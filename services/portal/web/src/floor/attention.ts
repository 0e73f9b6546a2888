/** Who needs a supervisor's eye, and in which order agents stand on the board. */
import { ms, type AgentView } from "@/api/types";

/** A state that lasts longer than this stands out. */
export const LIMITS = {
  /** Rings at the agent, or is about to. */
  ringMs: 15_000,
  /** Somebody listens to music. */
  holdMs: 120_000,
  wrapUpMs: 180_000,
  breakMs: 1_800_000,
  talkMs: 900_000,
  /** Ready, yet nothing can be routed there. */
  blockedMs: 30_000,
} as const;

/** What stands out about an agent. */
export type Alert =
  "rona" | "unreachable" | "ring" | "hold" | "wrapUp" | "break" | "talk" | "blocked";

/** Alerts, the most pressing first. */
const PRESSING: readonly Alert[] = [
  "rona",
  "unreachable",
  "ring",
  "hold",
  "wrapUp",
  "blocked",
  "talk",
  "break",
];

/** Those of whom nothing stands out follow in this order. */
const CALM: readonly string[] = [
  "ringing",
  "reserved",
  "holding",
  "talking",
  "wrap_up",
  "ready",
  "break",
  "signed_out",
];

type Seen = Pick<AgentView, "state" | "reason" | "since_ms" | "routable" | "why_not">;

/** What stands out about an agent at an instant; null: nothing. */
export function alertOf(agent: Seen, now: number): Alert | null {
  const lasted = now - ms(agent.since_ms);
  switch (agent.state) {
    case "break":
      if (agent.reason === "rona") return "rona";
      return lasted > LIMITS.breakMs ? "break" : null;
    case "unreachable":
      return "unreachable";
    case "reserved":
    case "ringing":
      return lasted > LIMITS.ringMs ? "ring" : null;
    case "holding":
      return lasted > LIMITS.holdMs ? "hold" : null;
    case "talking":
      return lasted > LIMITS.talkMs ? "talk" : null;
    case "wrap_up":
      return lasted > LIMITS.wrapUpMs ? "wrapUp" : null;
    case "ready":
      // A rest between two contacts ends by itself.
      return !agent.routable && agent.why_not !== "resting" && lasted > LIMITS.blockedMs
        ? "blocked"
        : null;
    default:
      return null;
  }
}

/** A number that grows as an agent needs less attention. */
export function rank(agent: Seen, now: number): number {
  const alert = alertOf(agent, now);
  if (alert) return PRESSING.indexOf(alert);
  const calm = CALM.indexOf(agent.state);
  return PRESSING.length + (calm < 0 ? CALM.length : calm);
}

/** When an alert will come if nothing changes, for the row to show it in time; 0: never. */
export function alertAt(agent: Seen): number {
  const since = ms(agent.since_ms);
  const limits: Record<string, number> = {
    reserved: LIMITS.ringMs,
    ringing: LIMITS.ringMs,
    holding: LIMITS.holdMs,
    talking: LIMITS.talkMs,
    wrap_up: LIMITS.wrapUpMs,
    break: LIMITS.breakMs,
    ready: LIMITS.blockedMs,
  };
  const limit = limits[agent.state];
  return limit === undefined ? 0 : since + limit + 1;
}

/** The ids of agents, those who need attention first; the longest in a state before the others. */
export function inOrder(agents: Iterable<AgentView>, now: number): string[] {
  const keyed = [...agents].map((agent) => ({
    agent,
    rank: rank(agent, now),
    since: ms(agent.since_ms),
  }));
  keyed.sort(
    (a, b) =>
      a.rank - b.rank ||
      a.since - b.since ||
      a.agent.name.localeCompare(b.agent.name) ||
      (a.agent.agent_id < b.agent.agent_id ? -1 : 1),
  );
  return keyed.map((each) => each.agent.agent_id);
}
