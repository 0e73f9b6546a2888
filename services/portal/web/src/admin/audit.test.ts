import { expect, it } from "vitest";
import { actionKey, actionWords, subjectWords } from "./audit";

it("names actions", () => {
  expect(actionKey("carillon.acd.v1.Acd/PutQueue")).toBe("PutQueue");
  expect(actionKey("sign-in")).toBe("sign-in");
  expect(actionWords("carillon.acd.v1.Acd/MakeSomethingNew")).toBe("Make something new");
});

it("names what an action was about", () => {
  const names = new Map([["7f", "Anna"]]);
  expect(subjectWords("an unknown user", names)).toBe("an unknown user");
  expect(subjectWords("7f", names)).toBe("Anna");
  expect(subjectWords("", names)).toBe("");
});
