import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { limitMs, raw } from "./client";
import { problemIn } from "./problem";

describe("a request", () => {
  beforeEach(() => {
    vi.stubGlobal("location", { origin: "http://127.0.0.1" });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("ends when the one who asked leaves, and is no problem of the server's then", async () => {
    let ended: AbortSignal | null | undefined;
    vi.stubGlobal("fetch", (_: Request, init: RequestInit) => {
      ended = init.signal;
      return new Promise((_answer, fail) =>
        init.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)),
      );
    });
    const leaving = new AbortController();
    const asked = raw("/v1/recordings/r/audio.wav", { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 0);
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    expect(ended?.aborted).toBe(true);
  });

  it("that nobody answers is said to be offline", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    await expect(raw("/v1/prompts/p/audio.wav")).rejects.toMatchObject({ code: "offline" });
  });

  it.each([
    ["/v1/users:import", true],
    ["/v1/recordings/r1:verify", true],
    ["/v1/recordings/r1/audio.wav", true],
    ["/v1/prompts/p1:synthesise", true],
    ["/v1/flows/main:publish", true],
    ["/v1/users", false],
    ["/v1/recordings/r1", false],
  ])("of %s has long: %s", (path, long) => {
    expect(limitMs(path) > 60_000).toBe(long);
  });
});

describe("a refusal", () => {
  it("says which field is wrong", () => {
    const body = { code: "bad-request", detail: "there is no such field", field: "queue.nme" };
    const problem = problemIn(new Response(null, { status: 400 }), body);
    expect(problem).toMatchObject({ status: 400, code: "bad-request", field: "queue.nme" });
    expect(problemIn(new Response(null, { status: 500 }), null).field).toBe("");
  });
});
