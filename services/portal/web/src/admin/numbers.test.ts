import * as library from "libphonenumber-js/min";
import { expect, it } from "vitest";
import { readNumber } from "./numbers";

it("reads numbers as people of the region write them", () => {
  expect(readNumber(library, "(202) 555-0100", "US")).toBe("+12025550100");
  expect(readNumber(library, "021 312 3456", "RO")).toBe("+40213123456");
  expect(readNumber(library, "+44 20 7946 0958", "US")).toBe("+442079460958");
});

it("takes short service numbers as they are", () => {
  expect(readNumber(library, "1 00", "US")).toBe("100");
});

it("refuses what is no number", () => {
  expect(readNumber(library, "sales", "US")).toBeNull();
  expect(readNumber(library, "", "US")).toBeNull();
  expect(readNumber(library, "+1202", "US")).toBeNull();
});
