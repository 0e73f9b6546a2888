/** How tenants are doing, ordered by who needs help first. */
import type { Schema } from "@/api/types";

export type Health = Schema<"portal.v1.TenantHealth">;

export const STATES = ["attention", "unknown", "well", "suspended"] as const;
export type State = (typeof STATES)[number];

export const REASONS = [
  "at-call-cap",
  "nobody-ready",
  "long-wait",
  "no-administrator",
  "near-call-cap",
  "near-user-cap",
  "no-number",
  "suspended",
] as const;
export type Reason = (typeof REASONS)[number];

/** The name under which the platform's own administrators sign in. */
const OWN = "platform";

/** True: the platform itself, which is nobody's organisation. */
export function isOwn({ tenant }: Health): boolean {
  return tenant?.tenant_id === OWN;
}

/** A suspended tenant is that above all: whatever else is said of it does not matter now. */
export function stateOf(health: Health): State {
  if (health.tenant?.caps?.suspended) return "suspended";
  return STATES.find((state) => state === health.state) ?? "unknown";
}

/** What is wrong, the worst first; words that this page does not know are left out. */
export function reasonsOf(health: Health): Reason[] {
  return REASONS.filter((reason) => health.reasons.includes(reason));
}

/** Who needs help first: by state, then by the worst reason. */
export function rankOf(health: Health): number {
  const worst = REASONS.findIndex((reason) => health.reasons.includes(reason));
  return STATES.indexOf(stateOf(health)) * 100 + (worst < 0 ? REASONS.length : worst);
}

export interface Sum {
  tenants: number;
  attention: number;
  suspended: number;
  calls: number;
  waiting: number;
}

/** All tenants together. */
export function sumOf(all: readonly Health[]): Sum {
  const sum: Sum = { tenants: 0, attention: 0, suspended: 0, calls: 0, waiting: 0 };
  for (const health of all) {
    const state = stateOf(health);
    if (!isOwn(health)) sum.tenants += 1;
    if (state === "attention") sum.attention += 1;
    if (state === "suspended") sum.suspended += 1;
    sum.calls += health.calls;
    sum.waiting += health.waiting;
  }
  return sum;
}

/** True: what people type when they sign in. */
export function isName(name: string): boolean {
  return name.length <= 40 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
}

/** True: what a user may be called. */
export function isUsername(name: string): boolean {
  return /^[A-Za-z0-9._@-]{1,100}$/.test(name);
}
