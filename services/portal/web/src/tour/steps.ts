/** What the tour shows to whom. */

export const STEPS = {
  agent: ["desk", "ready", "call", "after", "try"],
  supervisor: ["floor", "board", "why", "past", "try"],
  administrator: ["people", "flows", "numbers", "rules", "try"],
  platform: ["tenants", "create", "caps", "suspend", "private"],
} as const;

export type Guest = keyof typeof STEPS;
export type Step = (typeof STEPS)[Guest][number];

/** Where a step can be seen for real, with its words under `open`. */
export const PLACES: Partial<Record<Step, { key: Place; path: string }>> = {
  desk: { key: "desk", path: "/desk" },
  floor: { key: "floor", path: "/floor" },
  board: { key: "floor", path: "/floor" },
  past: { key: "contacts", path: "/contacts" },
  people: { key: "users", path: "/admin/users" },
  flows: { key: "flows", path: "/admin/flows" },
  numbers: { key: "numbers", path: "/admin/numbers" },
  rules: { key: "policy", path: "/admin/recording-policy" },
  tenants: { key: "tenants", path: "/platform/tenants" },
};
export type Place =
  "desk" | "floor" | "contacts" | "users" | "flows" | "numbers" | "policy" | "tenants";

/** Whose tour it is: the platform's people are administrators, too, and agents take calls first. */
export function guestOf(roles: readonly string[]): Guest {
  const order: Guest[] = ["platform", "agent", "administrator", "supervisor"];
  return order.find((role) => roles.includes(role)) ?? "agent";
}
