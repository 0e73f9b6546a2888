/** The matrix as a file. */
import { sheetText, type Sheet } from "../common/csv";
import { cellKey, readLevel, withSkill, written, type Matrix } from "./matrix";

export interface Person {
  id: string;
  name: string;
  username: string;
}

export interface SheetFault {
  /** As in the file, from 1; the heads are row 0. */
  row: number;
  kind: "nobody" | "level";
  value: string;
  skill: string;
}

export function matrixText(matrix: Matrix, people: readonly Person[]): string {
  return sheetText([
    ["username", "name", ...matrix.skills],
    ...people.map((person) => [
      person.username,
      person.name,
      ...matrix.skills.map((skill) => String(matrix.cells.get(cellKey(person.id, skill)) ?? "")),
    ]),
  ]);
}

/** A file's levels in the matrix: people by user name, skills by the heads; others are left alone. */
export function fromSheet(
  matrix: Matrix,
  people: readonly Person[],
  sheet: Sheet,
): { matrix: Matrix; faults: SheetFault[]; people: number } {
  const faults: SheetFault[] = [];
  const skills = sheet.headers.map((head) =>
    ["username", "name", ""].includes(head.toLowerCase()) ? "" : head,
  );
  const who = Math.max(
    0,
    sheet.headers.findIndex((head) => head.toLowerCase() === "username"),
  );
  skills[who] = "";
  let next = matrix;
  for (const skill of skills) if (skill) next = withSkill(next, skill) ?? next;
  const changes: [string, string, number | null][] = [];
  let found = 0;
  sheet.rows.forEach((row, place) => {
    const name = row[who] ?? "";
    const person = people.find(
      (one) => one.username.toLowerCase() === name.toLowerCase() || one.name === name,
    );
    if (!person) return faults.push({ row: place + 1, kind: "nobody", value: name, skill: "" });
    found += 1;
    skills.forEach((skill, column) => {
      if (!skill) return;
      const value = row[column] ?? "";
      const level = readLevel(value);
      if (level === undefined) faults.push({ row: place + 1, kind: "level", value, skill });
      else changes.push([person.id, skill, level]);
    });
  });
  return { matrix: written(next, changes), faults, people: found };
}
