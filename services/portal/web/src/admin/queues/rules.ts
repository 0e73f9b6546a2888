/** What a queue says itself, and what it inherits from the tenant and the platform. */
import type { Schema } from "@/api/types";
import type { QueueConfig } from "../common/data";

export type WrapUp = Schema<"acd.v1.WrapUpPolicy">;
export type RingRule = Schema<"acd.v1.RingRule">;
export type Defaults = Schema<"acd.v1.TenantDefaults">;
export type EmptyRule = Schema<"acd.v1.EmptyRule">;
export type Scoring = Schema<"acd.v1.Scoring">;

export const STRATEGIES = [
  "longest_idle",
  "most_skilled",
  "least_talk_time",
  "fewest_contacts",
  "round_robin",
  "top_down",
  "least_flexible",
  "random",
] as const;
export const MODES = ["none", "optional", "timed", "forced"] as const;
export const OUTCOMES = [
  "no_answer",
  "reject",
  "busy",
  "undelivered",
  "connect_failed",
  "unreachable",
  "caller_gone",
] as const;
export const CONDITIONS = ["signed_out", "on_break", "unreachable", "working", "ready"] as const;

/** What the platform says; docs/routing.md. */
export const PLATFORM = {
  max_waiting: 1_000,
  ring_timeout_ms: 20_000,
  strategies: ["longest_idle"],
  min_sample: 20,
  service_level_percent: 80,
  announce_rise_s: 60,
  wrap_up: {
    mode: "timed",
    min_ms: "0",
    max_ms: "30000",
    extensions: "0",
    extension_ms: "0",
    code_required: false,
    code_ends: false,
    default_code: "",
  } satisfies WrapUp,
  scoring: {
    priority_weight: "60000",
    accel: "1",
    wait_cap_ms: "14400000",
    return_credit: "0",
  } satisfies Scoring,
  absent: ["signed_out", "on_break", "unreachable"],
  rona: { limit: "2", window_ms: "1800000" },
  delivery_ms: 3_000,
  connect_ms: 3_000,
  detach_grace_ms: 30_000,
};

const RINGS: Record<string, RingRule> = Object.fromEntries(
  [
    ["no_answer", 5_000, true],
    ["reject", 10_000, false],
    ["busy", 60_000, false],
    ["undelivered", 2_000, false],
    ["connect_failed", 2_000, false],
    ["unreachable", 0, false],
    ["caller_gone", 0, false],
  ].map(([outcome, rest, strike]) => [
    outcome,
    { outcome, rest_ms: String(rest), exclude_ms: "0", strike } as RingRule,
  ]),
);

/** Where a value comes from. */
export type Source = "platform" | "tenant";

export interface Inherited<Value> {
  value: Value;
  from: Source;
}

/** The wrap-up of queues that say nothing of it. */
export function inheritedWrapUp(defaults: Defaults | undefined): Inherited<WrapUp> {
  return defaults?.wrap_up
    ? { value: defaults.wrap_up, from: "tenant" }
    : { value: PLATFORM.wrap_up, from: "platform" };
}

/** What follows an outcome of ringing where nothing nearer says it. */
export function inheritedRing(
  outcome: string,
  defaults: Defaults | undefined,
): Inherited<RingRule> {
  const own = defaults?.ring_rules.find((rule) => rule.outcome === outcome);
  const fallback = { outcome, rest_ms: "0", exclude_ms: "0", strike: false };
  return own
    ? { value: own, from: "tenant" }
    : { value: RINGS[outcome] ?? fallback, from: "platform" };
}

/** A new queue, which inherits everything. */
export function newQueue(): QueueConfig {
  return { queue_id: "", name: "", strategies: [], ring_rules: [] };
}

export type FaultName = "name" | "id" | "taken" | "random" | "plan" | "overflow" | "wrapUp";

/** Everything that is wrong. */
export function faultsOf(
  queue: QueueConfig,
  fresh: boolean,
  taken: readonly string[],
): FaultName[] {
  const faults: FaultName[] = [];
  if (!queue.name.trim()) faults.push("name");
  if (fresh && !/^[a-z0-9-]{1,64}$/.test(queue.queue_id)) faults.push("id");
  if (fresh && taken.includes(queue.queue_id)) faults.push("taken");
  const random = queue.strategies.indexOf("random");
  if (random >= 0 && random < queue.strategies.length - 1) faults.push("random");
  if (queue.plan?.steps.some((step) => !complete(step.expr))) faults.push("plan");
  if (queue.plan?.end === "overflow" && !queue.plan.overflow_queue) faults.push("overflow");
  const wrap = queue.wrap_up;
  if (wrap && Number(wrap.min_ms) > Number(wrap.max_ms ?? 30_000)) faults.push("wrapUp");
  return faults;
}

type Expr = Schema<"acd.v1.SkillExpr">;

/** True: every part of the condition says all that it needs. */
export function complete(expr: Expr | undefined): boolean {
  if (!expr) return false;
  if (expr.kind === "any") return true;
  if (expr.kind === "skill") return expr.name.trim() !== "";
  if (expr.kind === "attribute") return expr.name.trim() !== "" && expr.value.trim() !== "";
  if (expr.kind === "agent") return expr.value !== "";
  return expr.of.length > 0 && expr.of.every(complete);
}
