import { expect, it } from "vitest";
import { leavesPage } from "./unsaved";

it("knows another page from this one with other parameters", () => {
  const here = "http://localhost:8080/admin/skills?find=anna";
  expect(leavesPage("/admin/skills?find=ben", here)).toBe(false);
  expect(leavesPage("/admin/skills#end", here)).toBe(false);
  expect(leavesPage("/admin/users", here)).toBe(true);
  expect(leavesPage("http://localhost:8080/admin", here)).toBe(true);
});
