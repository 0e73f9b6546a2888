/** Tables as spreadsheets write them. */
import Papa from "papaparse";

export interface Sheet {
  headers: string[];
  rows: string[][];
}

/** One thing that a row may say. */
export interface Field {
  id: string;
  label: string;
  required?: boolean;
  /** Other heads that mean the same, in small letters. */
  aliases: string[];
  /** What the template shows. */
  example: string;
}

/** A row by its fields; those that no column holds are empty. */
export type Cells = Record<string, string>;

/** What is wrong with one cell. */
export interface Fault {
  /** Empty: with the whole row. */
  field: string;
  message: string;
}

/** Which column holds a field; -1: none. */
export type Mapping = Record<string, number>;

/** The first row as heads, and the rows below it that say anything. */
export function parseSheet(text: string): Sheet {
  const { data } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), { skipEmptyLines: "greedy" });
  const [headers = [], ...rows] = data.map((row) => row.map((cell) => cell.trim()));
  return { headers, rows };
}

/** The text of a file: UTF-8, or what spreadsheets in China write. */
export function decoded(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

const plain = (text: string) => text.toLowerCase().replace(/[\s_*.-]+/g, "");

/** Which column is meant for which field, by its head. */
export function guessed(headers: readonly string[], fields: readonly Field[]): Mapping {
  const heads = headers.map(plain);
  const taken = new Set<number>();
  const mapping: Mapping = {};
  for (const field of fields) {
    const names = [field.id, field.label, ...field.aliases].map(plain);
    const place = heads.findIndex((head, at) => !taken.has(at) && names.includes(head));
    if (place >= 0) taken.add(place);
    mapping[field.id] = place;
  }
  return mapping;
}

/** The rows by their fields. */
export function mapped(sheet: Sheet, mapping: Mapping): Cells[] {
  return sheet.rows.map((row) =>
    Object.fromEntries(
      Object.entries(mapping).map(([field, place]) => [field, place < 0 ? "" : (row[place] ?? "")]),
    ),
  );
}

/** A table as text; what a spreadsheet would take for a formula is made harmless. */
export function sheetText(rows: readonly (readonly string[])[]): string {
  return Papa.unparse(rows as string[][], { escapeFormulae: /^[=@\t\r]/ });
}

/** Words between semicolons, commas or bars. */
export function words(text: string): string[] {
  return text
    .split(/[;,|，；、]/)
    .map((word) => word.trim())
    .filter(Boolean);
}

/** `english:9; returns 6` as levels; null when a part is no name with a level from 1 to 10. */
export function levels(text: string): Record<string, number> | null {
  const found: Record<string, number> = {};
  for (const part of words(text)) {
    const [, name, level] = /^(.*?)\s*[:=\s]\s*(\d{1,2})$/.exec(part) ?? [];
    if (!name || Number(level) < 1 || Number(level) > 10) return null;
    found[name] = Number(level);
  }
  return found;
}

/** Parts of at most `size`. */
export function parts<Item>(items: readonly Item[], size: number): Item[][] {
  const all: Item[][] = [];
  for (let at = 0; at < items.length; at += size) all.push(items.slice(at, at + size));
  return all;
}
