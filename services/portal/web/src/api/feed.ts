/** The live connection: one WebSocket for a page, its heartbeat, and coming back after a loss. */
import { session } from "./session";
import { store } from "./store";

/** What the server says. */
export type Said = Record<string, unknown> & { type: string; topic?: string; number?: number };

/** How the connection is. `replaced`: another page has taken over the calls. */
export type Link = "off" | "connecting" | "on" | "lost" | "replaced";

export type Topic = "agents" | "live" | "waiting" | "alarms";

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;
/** An access token lasts ten minutes; the feed gets the next one before that. */
const TOKEN_EVERY_MS = 60_000;
const NOT_AUTHENTICATED = 4401;
const NOT_ALLOWED = 4403;
const REPLACED = 4409;

/** How the feed is, for the page to show. */
export const link = store<Link>("off");
/** When the connection is tried again (ms of the page's clock); 0: it is not waiting. */
export const retryAt = store(0);

type Reader = (said: Said) => void;
const readers = new Set<Reader>();
const topics = new Map<Topic, number>();

let socket: WebSocket | null = null;
let wanted = false;
let failures = 0;
let number = 0;
let token = "";
/** null: this page is no softphone. */
let checked: boolean | null = null;
/** What the server was told in the hello; nothing more is taken before its welcome. */
let greeted: { topics: Topic[]; checked: boolean | null } = { topics: [], checked: null };
let attempts = 0;
let again: ReturnType<typeof setTimeout> | undefined;
let fresh: ReturnType<typeof setInterval> | undefined;
let beats: Worker | null = null;

/** Reads everything the server says; the answer stops it. */
export function onSaid(reader: Reader): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

/** Connects, and stays connected until `stopFeed`. */
export function startFeed(): void {
  wanted = true;
  if (!socket && link.get() !== "replaced") void connect();
}

/** Leaves. */
export function stopFeed(): void {
  wanted = false;
  checked = null;
  clearTimeout(again);
  link.set("off");
  socket?.close(1000);
}

/** Says whether this page can take calls; the newest page that says so is the agent's softphone. */
export function softphoneIs(passed: boolean | null): void {
  const before = checked;
  checked = passed;
  if (link.get() === "replaced") {
    if (passed === null) return;
    link.set("off");
    if (wanted) void connect();
  } else if (before === null || passed === null) {
    // The hello says whether a page is a softphone at all: say it anew.
    if (before !== passed && socket) reconnect();
  } else {
    say({ type: "device-check", device_check: checkedWord(passed) });
  }
}

function checkedWord(passed: boolean): string {
  return passed ? "passed" : "not-passed";
}

/** Follows a topic as long as the answer is not called. */
export function follow(topic: Topic): () => void {
  const count = topics.get(topic) ?? 0;
  topics.set(topic, count + 1);
  if (count === 0) say({ type: "subscribe", topics: [topic] });
  return () => {
    const left = (topics.get(topic) ?? 1) - 1;
    topics.set(topic, left);
    if (left > 0) return;
    topics.delete(topic);
    say({ type: "unsubscribe", topics: [topic] });
  };
}

/** Tries at once instead of waiting. */
export function retryNow(): void {
  if (!wanted || socket) return;
  clearTimeout(again);
  void connect();
}

function reconnect(): void {
  const old = socket;
  socket = null;
  old?.close(1000);
  if (wanted) void connect();
}

function say(words: Record<string, unknown>): void {
  if (socket?.readyState === WebSocket.OPEN && link.get() === "on")
    socket.send(JSON.stringify(words));
}

async function connect(): Promise<void> {
  clearTimeout(again);
  retryAt.set(0);
  if (link.get() !== "lost") link.set("connecting");
  attempts += 1;
  const attempt = attempts;
  try {
    token = await session.token();
  } catch {
    return attempt === attempts ? later() : undefined;
  }
  // A newer attempt has begun while this one waited: two connections would be two softphones.
  if (!token || !wanted || attempt !== attempts) return;
  const address = new URL("/v1/feed", location.origin);
  address.protocol = address.protocol.replace("http", "ws");
  const mine = new WebSocket(address);
  socket = mine;
  mine.onopen = () => {
    greeted = { topics: [...topics.keys()], checked };
    const hello = { type: "hello", token, topics: greeted.topics };
    const check = checked === null ? {} : { device_check: checkedWord(checked) };
    mine.send(JSON.stringify({ ...hello, ...check }));
  };
  mine.onmessage = (event) => {
    if (mine === socket) heard(JSON.parse(String(event.data)) as Said);
  };
  mine.onclose = (event) => {
    if (mine === socket) lost(event.code);
  };
}

function heard(said: Said): void {
  if (said.type === "welcome") {
    failures = 0;
    number = -1;
    link.set("on");
    catchUp();
    beat(Number(said.heartbeat_ms) || 2000);
  }
  if (typeof said.number === "number") {
    // A number left out: something was missed, so everything is asked for anew.
    if (number >= 0 && said.number !== number + 1) return reconnect();
    number = said.number;
  }
  for (const reader of [...readers]) reader(said);
}

/** Says what has changed on the page between its hello and the welcome. */
function catchUp(): void {
  const added = [...topics.keys()].filter((topic) => !greeted.topics.includes(topic));
  const left = greeted.topics.filter((topic) => !topics.has(topic));
  if (added.length > 0) say({ type: "subscribe", topics: added });
  if (left.length > 0) say({ type: "unsubscribe", topics: left });
  if (checked !== null && checked !== greeted.checked)
    say({ type: "device-check", device_check: checkedWord(checked) });
}

function lost(code: number): void {
  socket = null;
  beat(0);
  if (!wanted) return;
  if (code === REPLACED) return link.set("replaced");
  if (code === NOT_ALLOWED) session.end();
  if (code === NOT_AUTHENTICATED) void session.renew(token).then(later, later);
  else later();
}

function later(): void {
  if (!wanted) return;
  link.set("lost");
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  failures += 1;
  // Spread, so that a thousand pages do not come back in the same instant.
  const wait = failures === 1 ? FIRST_WAIT_MS : longest * (0.5 + Math.random() / 2);
  retryAt.set(Date.now() + wait);
  again = setTimeout(() => void connect(), wait);
}

function beat(everyMs: number): void {
  clearInterval(fresh);
  if (everyMs > 0) {
    beats ??= new Worker(new URL("./heartbeat.ts", import.meta.url), { type: "module" });
    beats.onmessage = () => say({ type: "heartbeat" });
    fresh = setInterval(() => void refresh(), TOKEN_EVERY_MS);
  }
  beats?.postMessage(everyMs);
}

async function refresh(): Promise<void> {
  const next = await session.token().catch(() => token);
  if (!next || next === token) return;
  token = next;
  say({ type: "token", token });
}

globalThis.addEventListener?.("online", retryNow);
globalThis.addEventListener?.("pagehide", () => socket?.close(1000));
