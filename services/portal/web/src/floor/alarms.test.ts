import { expect, it } from "vitest";
import type { Alarm } from "@/api/boards";
import { byUrgency, fresh, urgent } from "./alarms";

function alarm(alarm_id: string, more: Partial<Alarm> = {}, severity = "warning"): Alarm {
  return {
    alarm_id,
    state: "raised",
    raised_at_ms: "100",
    acknowledged_at_ms: "0",
    threshold: { severity },
    ...more,
  } as Alarm;
}

const all = [
  alarm("seen", { acknowledged_at_ms: "5" }, "critical"),
  alarm("over", { state: "cleared" }),
  alarm("old"),
  alarm("new", { raised_at_ms: "200" }),
  alarm("worst", {}, "critical"),
];

it("puts first what nobody has seen, then what is critical, then what is new", () =>
  expect(byUrgency(all).map((each) => each.alarm_id)).toEqual([
    "worst",
    "new",
    "old",
    "over",
    "seen",
  ]));

it("shows in the banner what stands and nobody has seen", () =>
  expect(urgent(all).map((each) => each.alarm_id)).toEqual(["worst", "new", "old"]));

it("rings for what has come since, and not for what was there", () => {
  expect(fresh(null, all)).toEqual([]);
  expect(fresh(new Set(["worst", "old"]), all)).toEqual(["new"]);
});
