import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const TOLD = {
  servers: [
    { urls: ["stun:turn.example.com"], username: "", credential: "" },
    { urls: ["turn:turn.example.com"], username: "1:anna", credential: "word" },
  ],
  relay_only: true,
  lifetime_s: 600,
};

describe("what a connection is to use", () => {
  let asked = 0;
  let answer: () => Promise<Response>;
  beforeEach(() => {
    vi.resetModules();
    vi.useFakeTimers();
    vi.stubGlobal("location", { origin: "http://127.0.0.1" });
    asked = 0;
    answer = () => Promise.resolve(Response.json(TOLD));
    vi.stubGlobal("fetch", () => {
      asked += 1;
      return answer();
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is what the server says, asked once for half of the credentials' time", async () => {
    const { iceConfiguration } = await import("./ice");
    const [first, second] = await Promise.all([iceConfiguration(), iceConfiguration()]);
    expect(first).toEqual({
      iceServers: [
        { urls: ["stun:turn.example.com"] },
        { urls: ["turn:turn.example.com"], username: "1:anna", credential: "word" },
      ],
      iceTransportPolicy: "relay",
    });
    expect(second).toBe(first);
    vi.advanceTimersByTime(299_000);
    await iceConfiguration();
    expect(asked).toBe(1);
    vi.advanceTimersByTime(2_000);
    await iceConfiguration();
    expect(asked).toBe(2);
  });

  it("is the straight way when the server does not say, and is asked again", async () => {
    answer = () => Promise.resolve(new Response("", { status: 503 }));
    const { iceConfiguration } = await import("./ice");
    expect(await iceConfiguration()).toEqual({});
    answer = () => Promise.resolve(Response.json(TOLD));
    expect((await iceConfiguration()).iceServers).toHaveLength(2);
  });
});
