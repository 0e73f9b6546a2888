import { expect, it } from "vitest";
import { asKind, emptyExpr, exprWords, sign } from "./expr";

const english = { ...emptyExpr("skill"), name: "english" };

it("tells a comparison", () => {
  expect(exprWords(english, (id) => id)).toBe("english ≥ 5");
  expect(exprWords({ ...emptyExpr("agent"), value: "1" }, () => "Ann")).toBe("Ann");
  expect(sign(undefined)).toBe("≥");
});

it("keeps what can be kept when the kind changes", () => {
  const both = asKind(english, "and");
  expect(both.of[0]).toEqual(english);
  expect(asKind(both, "or").of).toEqual(both.of);
  expect(asKind(english, "not").of).toEqual([english]);
  expect(asKind(both, "any").of).toEqual([]);
});
