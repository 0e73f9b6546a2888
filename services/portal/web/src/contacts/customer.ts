/** A customer as a form has it, and what is wrong with it. */
import type { Schema } from "@/api/types";

export type Customer = Schema<"crm.v1.Customer">;

export interface Draft {
  name: string;
  /** As they were typed; there is always at least one, which may be empty. */
  numbers: string[];
  email: string;
  company: string;
  segment: string;
  language: string;
  externalRef: string;
  note: string;
  attributes: { name: string; value: string }[];
}

/** A key of the catalogue, below `customer.wrong`. */
export type Wrong =
  "nobody" | "number" | "twice" | "email" | "language" | "long" | "attribute" | "attributeTwice";

export type Faults = Partial<Record<string, Wrong>>;

const LONGEST: Partial<Record<keyof Draft, number>> = {
  name: 200,
  company: 200,
  segment: 64,
  externalRef: 256,
  note: 4_000,
};
export const MAX_NUMBERS = 16;
export const MAX_ATTRIBUTES = 32;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/;

export function draftOf(customer: Customer | null, number = ""): Draft {
  return {
    name: customer?.name ?? "",
    numbers: customer?.numbers.length ? [...customer.numbers] : [number],
    email: customer?.email ?? "",
    company: customer?.company ?? "",
    segment: customer?.segment ?? "",
    language: customer?.language ?? "",
    externalRef: customer?.external_ref ?? "",
    note: customer?.note ?? "",
    attributes: Object.entries(customer?.attributes ?? {}).map(([name, value]) => ({
      name,
      value,
    })),
  };
}

/** What is wrong, by field: `numbers.0`, `email`...; `e164` reads a number, empty: it is none. */
export function faultsOf(draft: Draft, e164: (text: string) => string): Faults {
  const faults: Faults = {};
  const seen = new Set<string>();
  draft.numbers.forEach((text, place) => {
    if (!text.trim()) return;
    const number = e164(text);
    if (!number) faults[`numbers.${place}`] = "number";
    else if (seen.has(number)) faults[`numbers.${place}`] = "twice";
    seen.add(number);
  });
  if (!draft.name.trim() && seen.size === 0) faults.name = "nobody";
  if (draft.email && !EMAIL.test(draft.email.trim())) faults.email = "email";
  if (draft.language && !LANGUAGE.test(draft.language.trim())) faults.language = "language";
  for (const [field, most] of Object.entries(LONGEST))
    if (String(draft[field as keyof Draft]).length > most) faults[field] = "long";
  const names = new Set<string>();
  draft.attributes.forEach(({ name, value }, place) => {
    if (!name.trim() && value.trim()) faults[`attributes.${place}`] = "attribute";
    if (name.trim() && names.has(name.trim())) faults[`attributes.${place}`] = "attributeTwice";
    names.add(name.trim());
  });
  return faults;
}

/** The draft as the API takes it; only when nothing is wrong with it. */
export function bodyOf(draft: Draft, e164: (text: string) => string) {
  return {
    name: draft.name.trim(),
    numbers: draft.numbers.map(e164).filter(Boolean),
    email: draft.email.trim(),
    company: draft.company.trim(),
    segment: draft.segment.trim(),
    language: draft.language.trim(),
    external_ref: draft.externalRef.trim(),
    note: draft.note,
    attributes: Object.fromEntries(
      draft.attributes
        .filter(({ name }) => name.trim())
        .map(({ name, value }) => [name.trim(), value.trim()]),
    ),
  };
}
