import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "./types";

const given = (access: string): Session => ({
  access_token: access,
  expires_in_s: 600,
  refresh_token: `${access}-refresh`,
  refresh_expires_in_s: 86_400,
  me: {
    id: "u",
    name: "Anna",
    roles: ["agent"],
    tenant_id: "t",
    tenant_name: "demo",
    kind: "user",
    time_zone: "UTC",
  },
});

/** The storage that the tabs of one browser share. */
class Shared {
  readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

async function tab() {
  vi.resetModules();
  return (await import("./session")).session;
}

describe("a session", () => {
  beforeEach(() => {
    vi.stubGlobal("localStorage", new Shared());
    vi.stubGlobal("navigator", {});
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("outlives a reload", async () => {
    (await tab()).begin(given("one"));
    const again = await tab();
    expect(again.me()?.name).toBe("Anna");
    expect(await again.token()).toBe("one");
  });

  it("renews its token before it ends", async () => {
    const session = await tab();
    session.begin(given("one"));
    const fetched = vi.fn(() => Promise.resolve(Response.json(given("two"))));
    vi.stubGlobal("fetch", fetched);
    vi.advanceTimersByTime(500_000);
    expect(await session.token()).toBe("two");
    expect(await session.token()).toBe("two");
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("uses a refresh token once, however many ask at the same time", async () => {
    const session = await tab();
    session.begin(given("one"));
    const fetched = vi.fn(() => Promise.resolve(Response.json(given("two"))));
    vi.stubGlobal("fetch", fetched);
    const all = await Promise.all([session.renew("one"), session.renew("one")]);
    expect(all).toEqual(["two", "two"]);
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("takes the token that another tab has renewed", async () => {
    const [first, second] = [await tab(), await tab()];
    first.begin(given("one"));
    second.begin(given("one"));
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json(given("two"))));
    await first.renew("one");
    vi.stubGlobal("fetch", () => Promise.reject(new Error("a refresh token was used twice")));
    expect(await second.renew("one")).toBe("two");
  });

  it("ends when the server says so, and only then", async () => {
    const session = await tab();
    session.begin(given("one"));
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status: 503 })));
    expect(await session.renew("one")).toBe("one");
    expect(session.me()).not.toBeNull();
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status: 401 })));
    expect(await session.renew("one")).toBe("");
    expect(session.me()).toBeNull();
  });
});
