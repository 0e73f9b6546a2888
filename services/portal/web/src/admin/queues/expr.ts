/** Conditions on agents, built and told in words. */
import i18next from "i18next";
import type { Schema } from "@/api/types";

export type Expr = Schema<"acd.v1.SkillExpr">;
export type Kind = "any" | "skill" | "attribute" | "agent" | "and" | "or" | "not";

export const KINDS: readonly Kind[] = ["skill", "attribute", "agent", "any", "and", "or", "not"];
export const COMPARISONS = ["ge", "gt", "eq", "ne", "lt", "le"] as const;
const SIGNS: Record<string, string> = { ge: "≥", gt: ">", eq: "=", ne: "≠", lt: "<", le: "≤" };

/** The sign of a comparison. */
export function sign(comparison: string | undefined): string {
  return SIGNS[comparison ?? "ge"] ?? "≥";
}

/** A condition of a kind with nothing in it yet. */
export function emptyExpr(kind: Kind): Expr {
  const bare = { kind, name: "", value: "", of: [] };
  if (kind === "skill") return { ...bare, comparison: "ge", level: "5" };
  if (kind === "attribute") return { ...bare, comparison: "eq" };
  return bare;
}

/** The condition as another kind; what can be kept is kept. */
export function asKind(expr: Expr, kind: Kind): Expr {
  const next = emptyExpr(kind);
  const group = (one: string) => one === "and" || one === "or";
  if (group(kind) && (group(expr.kind) || expr.kind === "not")) return { ...next, of: expr.of };
  if (group(kind)) return { ...next, of: [expr, emptyExpr("skill")] };
  if (kind === "not") return { ...next, of: [expr.of[0] ?? (expr.of.length ? next : expr)] };
  return next;
}

/** `english ≥ 5 and not (site = Iasi)`. */
export function exprWords(expr: Expr | undefined, agentName: (id: string) => string): string {
  if (!expr) return "";
  const t = i18next.t;
  const inner = (part: Expr) => {
    const text = exprWords(part, agentName);
    return part.kind === "and" || part.kind === "or" ? `(${text})` : text;
  };
  if (expr.kind === "any") return t("admin:expr.any");
  if (expr.kind === "skill")
    return `${expr.name || "…"} ${sign(expr.comparison)} ${expr.level ?? 1}`;
  if (expr.kind === "attribute")
    return `${expr.name || "…"} ${sign(expr.comparison ?? "eq")} ${expr.value || "…"}`;
  if (expr.kind === "agent") return agentName(expr.value) || "…";
  if (expr.kind === "not")
    return t("admin:expr.notOf", { part: expr.of[0] ? inner(expr.of[0]) : "…" });
  const joint = ` ${t(expr.kind === "and" ? "admin:expr.andWord" : "admin:expr.orWord")} `;
  return expr.of.map(inner).join(joint);
}
