/** What a contact in hand is, read out of what the desk tells of it. */
import type { DeskWork, ReservationRow } from "@/api/types";
import { ms } from "@/api/types";

/** One reason why the caller is here. */
export interface Reason {
  /** A name that the catalogue knows, or `other`. */
  kind: ReasonKind;
  /** Of `other`: what the flow calls it. */
  name: string;
  value: string;
}

const KINDS = [
  "transfer_reason",
  "transferred_by",
  "transferred_from",
  "transfer_failed",
  "menu_path",
  "keyed",
] as const;
export type ReasonKind = (typeof KINDS)[number] | "other";

/** What is shown elsewhere on the desk, or is of no use to people. */
const HIDDEN = ["caller", "from", "to", "customer_id", "customer_name", "customer_segment"];
const MAX_OTHERS = 8;

/** What the flow said of the contact under a name; empty: nothing. */
export function attribute(row: ReservationRow | undefined, name: string): string {
  return row?.contact?.attributes.find((each) => each.name === name)?.value ?? "";
}

/** The caller's number; empty: withheld. */
export function numberOf(work: DeskWork): string {
  return work.card?.number || attribute(work.reservation, "from");
}

/** The caller's name; empty: not known. */
export function nameOf(work: DeskWork): string {
  return (
    (work.card?.known && work.card.customer?.name) || attribute(work.reservation, "customer_name")
  );
}

/** Why the caller is here: what matters most first, then what else the flow tells. */
export function reasonsOf(row: ReservationRow | undefined): Reason[] {
  const known = KINDS.map((kind) => ({ kind, name: kind, value: attribute(row, kind) }));
  const others = (row?.contact?.attributes ?? [])
    .filter(({ name }) => !HIDDEN.includes(name) && !KINDS.some((kind) => kind === name))
    .map(({ name, value }) => ({ kind: "other" as const, name, value }));
  return [...known, ...others.slice(0, MAX_OTHERS)].filter((each) => each.value !== "");
}

/** Who did not take a caller that was handed on, as the flow says it: `queue: sales`. */
export function failedTarget(value: string): { kind: string; target: string } {
  const [kind = "", ...target] = value.split(": ");
  return { kind, target: target.join(": ") };
}

/** How long the caller waited until this agent took them, or so far. */
export function waitedMs(row: ReservationRow, nowMs: number): number {
  const until = ms(row.accepted_at_ms) || nowMs;
  return Math.max(0, until - ms(row.contact?.enqueued_at_ms ?? row.reserved_at_ms));
}

/** Which of several contacts is looked at unless the agent chooses: what can not wait. */
export function foremost(works: readonly DeskWork[]): string {
  const urgency = (work: DeskWork) =>
    ["reserved", "ringing", "connecting", "talking", "holding", "wrap_up"].indexOf(
      work.reservation?.work ?? "",
    );
  const sorted = works.toSorted((one, two) => urgency(one) - urgency(two));
  return sorted[0]?.reservation?.reservation_id ?? "";
}

/** What may be done in wrap-up, and until when. */
export interface WrapUp {
  /** Ends by itself; 0: it does not. */
  endsAtMs: number;
  /** May not be ended before; 0: at any time; null: never by the agent. */
  mayEndAtMs: number | null;
  /** How many extensions are left, and how much each gives. */
  extensions: number;
  extensionMs: number;
  codeRequired: boolean;
  /** A disposition ends it. */
  codeEnds: boolean;
}

/** The rules of a running wrap-up; null: there is none. */
export function wrapUpOf(row: ReservationRow | undefined): WrapUp | null {
  const { wrap_up: wrap } = row ?? {};
  if (!row || !wrap || row.work !== "wrap_up") return null;
  const { policy } = wrap;
  const least = ms(policy?.min_ms);
  return {
    endsAtMs: ms(row.deadline_ms),
    mayEndAtMs:
      policy?.mode === "forced"
        ? null
        : least > 0
          ? ms(wrap.since_ms) + ms(wrap.stopped_ms) + least
          : 0,
    extensions: Math.max(0, ms(policy?.extensions) - ms(wrap.extensions_used)),
    extensionMs: ms(policy?.extension_ms),
    codeRequired: policy?.code_required ?? false,
    codeEnds: policy?.code_ends ?? false,
  };
}
