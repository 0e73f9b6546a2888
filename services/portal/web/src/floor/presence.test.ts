import { expect, it } from "vitest";
import { Problem } from "@/api/problem";
import type { AgentView } from "@/api/types";
import { asTheyAre, eachOf } from "./presence";

const view = (agent_id: string, pending?: string) => ({ agent_id, pending }) as AgentView;
const wishes = (ids: string[], presence: string) => ids.map((id) => ({ id, presence, reason: "" }));

it("says who is in the state, who will be, and who is not", async () => {
  const outcome = await eachOf(wishes(["a", "b", "c"], "break"), async ({ id }) => {
    if (id === "c") throw new Problem(404, "no-such-agent", "gone");
    return view(id, id === "b" ? "break" : undefined);
  });
  expect(outcome.done.map((each) => each.agent_id)).toEqual(["a"]);
  expect(outcome.later.map((each) => each.agent_id)).toEqual(["b"]);
  expect(outcome.failed.map((each) => [each.id, each.problem.code])).toEqual([
    ["c", "no-such-agent"],
  ]);
});

it("asks for a few at a time, and for each once", async () => {
  let now = 0;
  let most = 0;
  const asked: string[] = [];
  const ids = Array.from({ length: 40 }, (_, place) => String(place));
  await eachOf(wishes(ids, "ready"), async ({ id }) => {
    asked.push(id);
    most = Math.max(most, (now += 1));
    await Promise.resolve();
    now -= 1;
    return view(id);
  });
  expect(asked.sort()).toEqual([...ids].sort());
  expect(most).toBeLessThanOrEqual(8);
});

it("asks nobody for nobody", async () =>
  expect(await eachOf([], () => Promise.reject(new Error()))).toEqual({
    done: [],
    later: [],
    failed: [],
  }));

it("takes back to what each agent was, or was to be", () => {
  const before = [
    { agent_id: "a", presence: "ready", reason: "" },
    { agent_id: "b", presence: "break", reason: "lunch" },
    { agent_id: "c", presence: "ready", reason: "", pending: "signed_out" },
  ] as AgentView[];
  expect(asTheyAre(before)).toEqual([
    { id: "a", presence: "ready", reason: "" },
    { id: "b", presence: "break", reason: "lunch" },
    { id: "c", presence: "signed_out", reason: "" },
  ]);
});
