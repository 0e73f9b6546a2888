/** Routing's receipt, sorted so that it can be said in words. */
import { ms, type Receipt, type Schema } from "@/api/types";

export type Expr = Schema<"acd.v1.SkillExpr">;

/** What it comes to. */
export type Verdict =
  | "reserved"
  | "detached"
  /** The queue has no agents. */
  | "empty"
  /** Nobody of the queue is what the caller asks for. */
  | "nobodyFits"
  /** Some are, and all of them are at home. */
  | "nobodyIn"
  /** Some are, and none of them is free. */
  | "nobodyFree"
  /** Somebody is free: they are being matched, or others come first. */
  | "soon";

export function verdict(receipt: Receipt): Verdict {
  if (receipt.blocked === "reserved" || receipt.winner) return "reserved";
  if (receipt.blocked === "detached") return "detached";
  const [free, fit, others] = [
    Number(receipt.candidate_count),
    Number(receipt.qualified_count),
    Number(receipt.excluded_count),
  ];
  if (free > 0) return "soon";
  if (free + others === 0) return "empty";
  if (fit === 0) return "nobodyFits";
  // Those who fit are listed first; whether all of them are listed is told by their number.
  const home = receipt.exclusions.filter((each) => each.reason === "signed_out").length;
  return home === fit ? "nobodyIn" : "nobodyFree";
}

export interface ReasonGroup {
  reason: string;
  agentIds: string[];
}

/** Who is passed over, by reason; the reason that concerns most comes first. */
export function byReason(receipt: Receipt): { groups: ReasonGroup[]; unlisted: number } {
  const groups = new Map<string, string[]>();
  for (const { agent_id, reason } of receipt.exclusions)
    groups.set(reason, [...(groups.get(reason) ?? []), agent_id]);
  return {
    groups: [...groups]
      .map(([reason, agentIds]) => ({ reason, agentIds }))
      // Those who could never take it say least about when it will go on.
      .sort(
        (a, b) =>
          Number(a.reason === "lacks_skill") - Number(b.reason === "lacks_skill") ||
          b.agentIds.length - a.agentIds.length,
      ),
    unlisted: Math.max(0, Number(receipt.excluded_count) - receipt.exclusions.length),
  };
}

/** What happens by itself, the soonest first. */
export function nextSteps(receipt: Receipt): { kind: "step" | "timeout"; atMs: number }[] {
  const found = [
    { kind: "step" as const, atMs: ms(receipt.step_until_ms) },
    { kind: "timeout" as const, atMs: ms(receipt.timeout_at_ms) },
  ];
  return found.filter((each) => each.atMs > 0).sort((a, b) => a.atMs - b.atMs);
}

/** The words of which a condition is made. */
export interface ExprWords {
  any: string;
  skill: (name: string, comparison: string, level: number) => string;
  attribute: (name: string, equal: boolean, value: string) => string;
  agent: (id: string) => string;
  and: string;
  or: string;
  not: (inside: string) => string;
  group: (inside: string) => string;
}

/** A condition on agents as a sentence's part. */
export function exprInWords(expr: Expr | undefined, words: ExprWords, within = false): string {
  if (!expr) return words.any;
  const parts = () => expr.of.map((part) => exprInWords(part, words, expr.of.length > 1));
  const joined = (sign: string) => {
    const text = parts().join(sign);
    return within && expr.of.length > 1 ? words.group(text) : text;
  };
  switch (expr.kind) {
    case "skill":
      return words.skill(expr.name, expr.comparison ?? "ge", Number(expr.level ?? 1));
    case "attribute":
      return words.attribute(expr.name, expr.comparison !== "ne", expr.value);
    case "agent":
      return words.agent(expr.value);
    case "and":
      return joined(words.and);
    case "or":
      return joined(words.or);
    case "not":
      return words.not(parts().join(words.and));
    default:
      return words.any;
  }
}
