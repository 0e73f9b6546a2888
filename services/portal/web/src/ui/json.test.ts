import { expect, it } from "vitest";
import { pretty } from "./json";

it("indents JSON, and leaves what is none", () => {
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty("cut {")).toBe("cut {");
});
