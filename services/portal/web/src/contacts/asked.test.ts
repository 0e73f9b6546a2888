import { describe, expect, it } from "vitest";
import { askedIn, recordQuery } from "./asked";

const NOW = Date.parse("2026-11-23T12:00:00Z");

describe("what contacts are asked for by an address", () => {
  it("is today without anything", () => {
    const asked = askedIn(new URLSearchParams(), NOW);
    expect(asked.choice).toBe("today");
    expect(asked.tab).toBe("entries");
    expect(asked.range.fromMs).toBe(Date.parse("2026-11-23T00:00:00Z"));
  });
  it("is what stands behind a figure of the floor or a report", () => {
    const address =
      "behind=service_level&from=1795000000000&to=1795001800000&queue=q&denominator=1&exits=a,b";
    const asked = askedIn(new URLSearchParams(address), NOW);
    expect(asked).toMatchObject({
      choice: "custom",
      range: { fromMs: 1795000000000, toMs: 1795001800000 },
      queues: ["q"],
      exits: ["a", "b"],
      behind: "service_level",
      denominator: true,
    });
    expect(recordQuery(asked, "", 500)).toMatchObject({
      behind: "service_level",
      newest_first: true,
    });
  });
  it("is of several queues and agents, and of calls by what became of them", () => {
    const address = "tab=calls&queue=a&queue=b&agent=x&outcomes=abandoned,waiting";
    expect(askedIn(new URLSearchParams(address), NOW)).toMatchObject({
      tab: "calls",
      queues: ["a", "b"],
      agents: ["x"],
      outcomes: ["abandoned", "waiting"],
    });
  });
  it("takes nothing that makes no sense", () => {
    const asked = askedIn(new URLSearchParams("from=soon&to=1&threshold=-5&tab=x"), NOW);
    expect(asked).toMatchObject({ choice: "today", threshold: 0, tab: "entries" });
  });
});
