import { expect, it } from "vitest";
import { parseSheet } from "../common/csv";
import { copied, matrixOf } from "./matrix";
import { fromSheet, matrixText } from "./sheet";

const PEOPLE = [
  { id: "1", name: "Ann", username: "ann" },
  { id: "2", name: "Ben", username: "ben" },
];
const FIRST = matrixOf([{ agent_id: "1", skills: [{ name: "english", level: "9" }] }]);

it("is written and read back the same", () => {
  const text = matrixText(FIRST, PEOPLE);
  expect(text).toBe("username,name,english\r\nann,Ann,9\r\nben,Ben,");
  expect(fromSheet(FIRST, PEOPLE, parseSheet(text)).matrix.cells).toEqual(FIRST.cells);
});

it("takes new skills, and says what it can not read", () => {
  const read = fromSheet(FIRST, PEOPLE, parseSheet("username,vip\nBEN,3\neve,1\nann,12\n"));
  expect(
    copied(read.matrix, ["1", "2"], { fromRow: 0, toRow: 1, fromColumn: 0, toColumn: 1 }),
  ).toBe("9\t\n\t3");
  expect(read.people).toBe(2);
  expect(read.faults).toEqual([
    { row: 2, kind: "nobody", value: "eve", skill: "" },
    { row: 3, kind: "level", value: "12", skill: "vip" },
  ]);
});
