/** To whom a caller is handed on, out of what was typed and chosen. */
import type { Target } from "../phone/commands";

/** True: what was typed can only be a phone number. */
export function looksLikeNumber(words: string): boolean {
  const digits = words.replace(/[\s().\-/]/g, "");
  return /^\+?\d{3,}$/.test(digits);
}

/** The target of a choice such as `queue:sales`; null: there is none. */
export function targetOf(chosen: string, number: string): Target | null {
  const place = chosen.indexOf(":");
  const [kind, id] = [chosen.slice(0, Math.max(0, place)), chosen.slice(place + 1)];
  if (kind === "queue") return { queue_id: id };
  if (kind === "agent") return { agent_id: id };
  return number ? { number } : null;
}
