import { describe, expect, it } from "vitest";
import { draftOf, faultsOf, routingChanged, routingOf } from "./model";
import { makePassword } from "./password";

const CONFIG = {
  agent_id: "1",
  name: "Ann",
  endpoint: "sip:ann@desk",
  skills: [{ name: "english", level: "9" }],
  attributes: [{ name: "site", value: "Iasi" }],
  queues: [{ queue_id: "sales", weight: "300", position: "2" }],
  capacities: [{ channel: "voice", limit: "1" }],
};
const USER = {
  user_id: "1",
  username: "ann",
  display_name: "Ann",
  email: "",
  roles: ["agent"],
  active: true,
  created_at_ms: "0",
  last_seen_at_ms: "0",
  locked_until_ms: "0",
};

describe("a user's form", () => {
  it("keeps what it does not show", () => {
    const draft = draftOf(USER, CONFIG);
    expect(routingChanged(draft, CONFIG)).toBe(false);
    const next = routingOf({ ...draft, queues: ["sales", "support"] }, CONFIG);
    expect(next.endpoint).toBe("sip:ann@desk");
    expect(next.attributes).toEqual(CONFIG.attributes);
    expect(next.queues).toEqual([
      { queue_id: "sales", weight: "300", position: "2" },
      { queue_id: "support", position: "0" },
    ]);
  });
  it("says what is wrong", () => {
    const empty = { ...draftOf(null, undefined), roles: [], email: "x", password: "short" };
    expect(faultsOf(empty, true, [])).toEqual(["username", "name", "email", "roles", "password"]);
    expect(faultsOf(draftOf(USER, CONFIG), false, ["ann"])).toEqual([]);
    const twice = { ...draftOf(USER, CONFIG), username: "Ben" };
    twice.skills = [...twice.skills, { name: "english", level: 1 }];
    expect(faultsOf({ ...twice, password: "long enough words" }, true, ["ben"])).toEqual([
      "taken",
      "skills",
    ]);
  });
});

it("makes passwords of 99 random bits", () => {
  expect(makePassword()).toMatch(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/);
  expect(makePassword()).not.toBe(makePassword());
});
