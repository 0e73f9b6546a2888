import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

vi.mock("./session", () => ({
  session: {
    token: () => Promise.resolve("token"),
    renew: () => Promise.resolve("token"),
    end: vi.fn(),
  },
}));

type Words = Record<string, unknown>;

/** The server's end of a WebSocket. */
class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  static get last(): Socket {
    const last = Socket.all.at(-1);
    if (!last) throw new Error("nobody connected");
    return last;
  }
  readyState = 1;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  readonly heard: Words[] = [];
  constructor(readonly address: URL) {
    Socket.all.push(this);
  }
  send(text: string): void {
    this.heard.push(JSON.parse(text) as Words);
  }
  close(code = 1000): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  says(words: Words): void {
    this.onmessage?.({ data: JSON.stringify(words) });
  }
  welcomes(): void {
    this.onopen?.();
    this.says({ type: "welcome", heartbeat_ms: 2000 });
  }
}

class Beats {
  onmessage?: () => void;
  postMessage = vi.fn();
}

async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

async function started() {
  vi.resetModules();
  Socket.all = [];
  const feed = await import("./feed");
  feed.startFeed();
  await settled();
  return feed;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("Worker", Beats);
  vi.stubGlobal("location", { origin: "https://portal.example" });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the feed", () => {
  it("says who it is first, and what it follows", async () => {
    const feed = await started();
    feed.follow("live");
    Socket.last.welcomes();
    expect(Socket.last.address.href).toBe("wss://portal.example/v1/feed");
    expect(Socket.last.heard[0]).toEqual({ type: "hello", token: "token", topics: ["live"] });
    expect(feed.link.get()).toBe("on");
  });

  it("subscribes once, however many parts of the page look", async () => {
    const feed = await started();
    Socket.last.welcomes();
    const [one, two] = [feed.follow("agents"), feed.follow("agents")];
    one();
    expect(Socket.last.heard.slice(1)).toEqual([{ type: "subscribe", topics: ["agents"] }]);
    two();
    expect(Socket.last.heard.at(-1)).toEqual({ type: "unsubscribe", topics: ["agents"] });
  });

  it("says after the welcome what has changed since the hello", async () => {
    const feed = await started();
    const left = feed.follow("live");
    feed.follow("alarms");
    feed.softphoneIs(false);
    await settled();
    Socket.last.onopen?.();
    // What a page begins to follow now is too late for the hello, and too early to be taken.
    left();
    feed.follow("waiting");
    feed.softphoneIs(true);
    expect(Socket.last.heard).toHaveLength(1);
    Socket.last.says({ type: "welcome", heartbeat_ms: 2000 });
    expect(Socket.last.heard.slice(1)).toEqual([
      { type: "subscribe", topics: ["waiting"] },
      { type: "unsubscribe", topics: ["live"] },
      { type: "device-check", device_check: "passed" },
    ]);
  });

  it("repeats nothing after the welcome that the hello has said", async () => {
    const feed = await started();
    feed.follow("live");
    feed.softphoneIs(true);
    await settled();
    Socket.last.welcomes();
    expect(Socket.last.heard).toHaveLength(1);
  });

  it("connects once, however often it is told to try at once", async () => {
    const feed = await started();
    Socket.last.close(1006);
    const before = Socket.all.length;
    feed.retryNow();
    feed.retryNow();
    await settled();
    expect(Socket.all).toHaveLength(before + 1);
  });

  it("asks for everything anew when a number is left out", async () => {
    const feed = await started();
    const said = vi.fn();
    feed.onSaid(said);
    Socket.last.welcomes();
    Socket.last.says({ type: "snapshot", number: 0 });
    Socket.last.says({ type: "change", number: 1 });
    expect(Socket.all).toHaveLength(1);
    Socket.last.says({ type: "change", number: 3 });
    await settled();
    expect(Socket.all).toHaveLength(2);
    expect(said).not.toHaveBeenCalledWith(expect.objectContaining({ number: 3 }));
  });

  it("comes back after a loss, later and later, and at once when told", async () => {
    const feed = await started();
    Socket.last.welcomes();
    Socket.last.close(1006);
    expect(feed.link.get()).toBe("lost");
    await vi.advanceTimersByTimeAsync(300);
    expect(Socket.all).toHaveLength(2);
    for (let loss = 0; loss < 8; loss += 1) {
      Socket.last.close(1006);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    const before = Socket.all.length;
    Socket.last.close(1006);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(Socket.all).toHaveLength(before);
    feed.retryNow();
    await settled();
    expect(Socket.all).toHaveLength(before + 1);
  });

  it("stays away when another page has taken over, until it is told to take back", async () => {
    const feed = await started();
    feed.softphoneIs(true);
    await settled();
    Socket.last.welcomes();
    expect(Socket.last.heard[0]).toMatchObject({ device_check: "passed" });
    Socket.last.close(4409);
    await vi.advanceTimersByTimeAsync(60_000);
    const before = Socket.all.length;
    expect(feed.link.get()).toBe("replaced");
    feed.startFeed();
    await settled();
    expect(Socket.all).toHaveLength(before);
    feed.softphoneIs(true);
    await settled();
    expect(Socket.all).toHaveLength(before + 1);
  });

  it("says a later device check without connecting again", async () => {
    const feed = await started();
    feed.softphoneIs(false);
    await settled();
    Socket.last.welcomes();
    const before = Socket.all.length;
    feed.softphoneIs(true);
    expect(Socket.last.heard.at(-1)).toEqual({ type: "device-check", device_check: "passed" });
    expect(Socket.all).toHaveLength(before);
  });

  it("is left for good", async () => {
    const feed = await started();
    Socket.last.welcomes();
    feed.stopFeed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Socket.all).toHaveLength(1);
    expect(feed.link.get()).toBe("off");
  });
});
