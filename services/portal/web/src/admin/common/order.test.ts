import { expect, it } from "vitest";
import { slug } from "./slug";
import { moved } from "./order";

it("moves an item, not beyond the ends", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b"], 0, 9)).toEqual(["b", "a"]);
  expect(moved(["a"], 3, 0)).toEqual(["a"]);
});

it("makes ids of names", () => {
  expect(slug("Billing & Returns")).toBe("billing-returns");
  expect(slug(" Études 2 ")).toBe("etudes-2");
  expect(slug("销售")).toBe("");
});
