import { describe, expect, it } from "vitest";
import { csvOf, exportedValue, harmless } from "./exported";

describe("a cell of a CSV", () => {
  it("is never a formula", () => {
    for (const text of ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1"])
      expect(harmless(text)).toBe(`'${text}`);
    expect(harmless("Sales = good")).toBe("Sales = good");
  });
  it("is a number where it is one, also below nought", () =>
    expect(csvOf({ head: ["a"], rows: [[-1.5], [null]] })).toBe("\ufeffa\r\n-1.5\r\n\r\n"));
  it("is quoted where it must be, after it was made harmless", () =>
    expect(csvOf({ head: ["n"], rows: [['=HYPERLINK("x","y")'], ["a\nb"]] })).toBe(
      '\ufeffn\r\n"\'=HYPERLINK(""x"",""y"")"\r\n"a\nb"\r\n',
    ));
  it("holds for the head, too: names of figures come from the server", () =>
    expect(csvOf({ head: ["@x"], rows: [] })).toBe("\ufeff'@x\r\n"));
});

describe("an exported figure", () => {
  it("is in the unit of its head", () => {
    expect(exportedValue(61_234, "ms")).toBe(61.23);
    expect(exportedValue(87.456, "percent")).toBe(87.46);
    expect(exportedValue(undefined, "count")).toBeNull();
  });
});
