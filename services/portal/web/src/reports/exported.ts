/** A report as a sheet: for programs that calculate. */

/** null: no value. */
export type Cell = string | number | null;

export interface Sheet {
  head: string[];
  rows: Cell[][];
}

/** What makes a program that calculates take a text for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** A text that no program takes for a formula. */
export function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** A sheet as CSV (RFC 4180), with a mark of UTF-8 at its beginning. */
export function csvOf(sheet: Sheet): string {
  const lines = [sheet.head, ...sheet.rows].map((row) => row.map(cell).join(","));
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = harmless(value);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A figure as a number in the unit that its column names: seconds, percent, or as it is. */
export function exportedValue(value: number | undefined, unit: string): Cell {
  if (value === undefined) return null;
  return Math.round((unit === "ms" ? value / 1000 : value) * 100) / 100;
}

/** Hands a file to the person. */
export function download(name: string, file: Blob): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Some browsers fetch it only after the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A sheet as an Excel file; the library is fetched with the first. */
export async function xlsxOf(sheet: Sheet): Promise<Blob> {
  const { default: write } = await import("write-excel-file/browser");
  const head = sheet.head.map((value) => ({ value, fontWeight: "bold" as const, wrap: true }));
  // Texts are of the type text there: nothing is calculated, so nothing needs a quote.
  const rows = sheet.rows.map((row) => row.map((value) => (value === null ? null : { value })));
  const columns = sheet.head.map((title) => ({ width: Math.max(12, Math.min(36, title.length)) }));
  return await write([head, ...rows], { columns, stickyRowsCount: 1 }).toBlob();
}
