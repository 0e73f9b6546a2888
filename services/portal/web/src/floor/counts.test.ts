import { expect, it } from "vitest";
import type { WaitingRow } from "@/api/boards";
import type { AgentView } from "@/api/types";
import { byState, callerOf, lineByQueue, longest, staffByQueue } from "./counts";

const agent = (state: string, ...queue_ids: string[]) => ({ state, queue_ids }) as AgentView;
const caller = (entry_id: string, queue_id: string, since: number, earlier = 0) =>
  ({
    entry_id,
    contact: {
      queue_id,
      enqueued_at_ms: String(since),
      waiting_since_ms: String(earlier),
      attributes: [],
    },
  }) as unknown as WaitingRow;

it("counts agents by state", () => {
  const counts = byState([agent("ready"), agent("talking"), agent("ready")]);
  expect([...counts]).toEqual([
    ["ready", 2],
    ["talking", 1],
  ]);
});

it("counts who serves a queue, in each of several", () => {
  const staff = staffByQueue([
    agent("ready", "a", "b"),
    agent("wrap_up", "a"),
    agent("ringing", "a"),
    agent("break", "b"),
    agent("unreachable", "b"),
    agent("signed_out", "a", "b"),
  ]);
  expect(staff.get("a")).toEqual({ ready: 1, working: 2, away: 0 });
  expect(staff.get("b")).toEqual({ ready: 1, working: 0, away: 2 });
});

it("counts callers by queue with the longest wait", () => {
  const rows = [caller("1", "a", 300), caller("2", "a", 400, 200), caller("3", "b", 100)];
  expect(lineByQueue(rows).get("a")).toEqual({ waiting: 2, oldestMs: 200 });
  expect(longest(rows)?.entry_id).toBe("3");
  expect(longest([])).toBeNull();
});

it("knows who calls", () => {
  const attributes = [
    { name: "caller", value: "+12025550100" },
    { name: "customer_name", value: "Ada" },
  ];
  expect(callerOf({ attributes })).toEqual({ name: "Ada", number: "+12025550100" });
  expect(callerOf(undefined)).toEqual({ name: "", number: "" });
});
