import { describe, expect, it } from "vitest";
import { decoded, guessed, levels, mapped, parseSheet, parts, sheetText, words } from "./csv";

const FIELDS = [
  { id: "username", label: "User name", aliases: ["login"], example: "" },
  { id: "display_name", label: "Name", aliases: ["full name"], example: "" },
];

describe("a sheet", () => {
  it("is read with quotes, other separators and empty rows", () => {
    expect(parseSheet('\uFEFFLogin;Full name\nann;"Ann; the first"\n\n;\nben; Ben \n')).toEqual({
      headers: ["Login", "Full name"],
      rows: [
        ["ann", "Ann; the first"],
        ["ben", "Ben"],
      ],
    });
  });
  it("gives each field the column that its head names", () => {
    expect(guessed(["FULL_NAME", "Other", "login"], FIELDS)).toEqual({
      username: 2,
      display_name: 0,
    });
    expect(guessed(["What"], FIELDS)).toEqual({ username: -1, display_name: -1 });
  });
  it("shows rows by field, short rows too", () => {
    const sheet = { headers: ["a", "b"], rows: [["ann"], ["ben", "Ben"]] };
    expect(mapped(sheet, { username: 0, display_name: 1, email: -1 })).toEqual([
      { username: "ann", display_name: "", email: "" },
      { username: "ben", display_name: "Ben", email: "" },
    ]);
  });
  it("is written without formulas, and phone numbers stay", () => {
    expect(sheetText([["=1+1", "+12025550100", "a,b"]])).toBe(`"'=1+1",+12025550100,"a,b"`);
  });
  it("is read in the coding of Chinese spreadsheets", () => {
    expect(decoded(Uint8Array.from([0xd6, 0xd0, 0xce, 0xc4]).buffer)).toBe("中文");
  });
});

describe("cells", () => {
  it("hold several words", () =>
    expect(words("sales; support、vip,")).toEqual(["sales", "support", "vip"]));
  it("hold skills with levels", () => {
    expect(levels("english:9; returns 6")).toEqual({ english: 9, returns: 6 });
    expect(levels("")).toEqual({});
    expect(levels("english")).toBeNull();
    expect(levels("english:11")).toBeNull();
  });
});

it("splits what is too long for one request", () => {
  expect(parts([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
});
