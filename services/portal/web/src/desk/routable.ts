/** Why an agent gets no calls, and what they can do about it. */
import type { AgentView } from "@/api/types";

/** What routing says (`acd.v1.AgentView.why_not`), and what only this page knows. */
const CODES = [
  "lacks_skill",
  "signed_out",
  "on_break",
  "rona",
  "presence_pending",
  "unreachable",
  "other_leg",
  "channel_blocked",
  "at_capacity",
  "resting",
  "pair_excluded",
  "last_rung",
] as const;
export type WhyNot = (typeof CODES)[number] | "no_queues" | "unchecked" | "elsewhere" | "other";

export interface Hint {
  code: WhyNot;
  /** The button below it. */
  offer: "nothing" | "ready" | "take";
  /** True: it is no trouble, calls come. */
  calm: boolean;
}

/** What to tell the agent; null: all is well, or the contact in hand explains it. */
export function hintOf(agent: AgentView, softphone: boolean): Hint | null {
  if (agent.removed) return null;
  const code = agent.why_not ?? "";
  if (agent.queue_ids.length === 0 && (agent.routable || code === "at_capacity"))
    return { code: "no_queues", offer: "nothing", calm: false };
  if (agent.routable || agent.work.length > 0) {
    if (softphone) return agent.work.length > 0 && code === "presence_pending" ? pending : null;
    return { code: "elsewhere", offer: "take", calm: true };
  }
  if (code === "unreachable")
    return softphone
      ? { code: "unreachable", offer: "nothing", calm: false }
      : { code: "unchecked", offer: "take", calm: false };
  const known = CODES.find((each) => each === code) ?? "other";
  const ready = ["signed_out", "on_break", "rona"].includes(known);
  return { code: known, offer: ready ? "ready" : "nothing", calm: false };
}

const pending: Hint = { code: "presence_pending", offer: "ready", calm: true };
