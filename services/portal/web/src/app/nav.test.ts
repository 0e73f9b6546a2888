import { describe, expect, it } from "vitest";
import { homeFor, SECTIONS, sectionsFor } from "./nav";

describe("where people begin", () => {
  it.each([
    [["agent"], "/desk"],
    [["supervisor"], "/floor"],
    [["administrator"], "/admin/users"],
    [["platform"], "/platform/tenants"],
    [["administrator", "platform"], "/platform/tenants"],
    [["administrator", "supervisor"], "/floor"],
    [["administrator", "agent", "supervisor"], "/desk"],
  ])("%j at %s, which they may see", (roles, home) => {
    expect(homeFor(roles)).toBe(home);
    expect(sectionsFor(roles).map((section) => section.path)).toContain(home);
  });

  it("nowhere without a role that the portal knows", () => {
    expect(homeFor(["wizard"])).toBe("/nothing");
    expect(sectionsFor(["wizard"])).toEqual([]);
  });

  it("has a section for every address once", () => {
    const paths = SECTIONS.map((section) => section.path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
