import { expect, it } from "vitest";
import { actionKey, actionWords, pretty } from "./audit";

it("names actions", () => {
  expect(actionKey("carillon.acd.v1.Acd/PutQueue")).toBe("PutQueue");
  expect(actionKey("sign-in")).toBe("sign-in");
  expect(actionWords("carillon.acd.v1.Acd/MakeSomethingNew")).toBe("Make something new");
});

it("shows what was asked for", () => {
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty("cut {")).toBe("cut {");
});
