import { describe, expect, it } from "vitest";
import type { DeskWork, ReservationRow } from "@/api/types";
import { draftOf, drafts, keepDraft } from "./drafts";
import { failedTarget, foremost, nameOf, numberOf, reasonsOf, waitedMs, wrapUpOf } from "./work";

const row = (changes: object = {}): ReservationRow =>
  ({
    reservation_id: "r.1",
    work: "talking",
    reserved_at_ms: "20000",
    contact: {
      enqueued_at_ms: "5000",
      attributes: [
        { name: "from", value: "+12025550147" },
        { name: "customer_name", value: "Carol" },
        { name: "keyed", value: "1 2" },
        { name: "order", value: "A-17" },
        { name: "transfer_reason", value: "returns" },
        { name: "menu_path", value: "" },
      ],
    },
    ...changes,
  }) as unknown as ReservationRow;
const work = (changes: object = {}): DeskWork =>
  ({ reservation: row(), ...changes }) as unknown as DeskWork;

describe("who calls", () => {
  it("is the card's customer, or what the flow found", () => {
    const card = { known: true, number: "+1", customer: { name: "Carol Caller" } };
    expect([nameOf(work({ card })), numberOf(work({ card }))]).toEqual(["Carol Caller", "+1"]);
    expect([nameOf(work()), numberOf(work())]).toEqual(["Carol", "+12025550147"]);
  });
});

describe("why the caller is here", () => {
  it("begins with the transfer and ends with what the flow adds", () => {
    expect(reasonsOf(row()).map(({ kind, value }) => [kind, value])).toEqual([
      ["transfer_reason", "returns"],
      ["keyed", "1 2"],
      ["other", "A-17"],
    ]);
  });
  it("tells the wait until it was taken", () => {
    expect(waitedMs(row({ accepted_at_ms: "12000" }), 99_000)).toBe(7_000);
    expect(waitedMs(row(), 9_000)).toBe(4_000);
  });
});

describe("the foremost contact", () => {
  it("is the one that rings, then the one that is talked to", () => {
    const one = work({ reservation: row({ reservation_id: "w", work: "wrap_up" }) });
    const two = work({ reservation: row({ reservation_id: "t" }) });
    const three = work({ reservation: row({ reservation_id: "r", work: "ringing" }) });
    expect(foremost([one, two])).toBe("t");
    expect(foremost([one, two, three])).toBe("r");
    expect(foremost([])).toBe("");
  });
});

describe("wrap-up", () => {
  const wrapped = (policy: object) =>
    wrapUpOf(
      row({
        work: "wrap_up",
        deadline_ms: "90000",
        wrap_up: { since_ms: "60000", stopped_ms: "500", extensions_used: "1", policy },
      }),
    );
  it("is none while they talk", () => expect(wrapUpOf(row())).toBeNull());
  it("may end at any time, after a while, or only by itself", () => {
    expect(wrapped({ mode: "timed" })?.mayEndAtMs).toBe(0);
    expect(wrapped({ mode: "timed", min_ms: "5000" })?.mayEndAtMs).toBe(65_500);
    expect(wrapped({ mode: "forced" })?.mayEndAtMs).toBeNull();
  });
  it("counts the extensions that are left", () => {
    expect(wrapped({ mode: "timed", extensions: "2", extension_ms: "30000" })).toMatchObject({
      endsAtMs: 90_000,
      extensions: 1,
      extensionMs: 30_000,
    });
    expect(wrapped({ mode: "timed" })?.extensions).toBe(0);
  });
});

describe("drafts of notes", () => {
  const storage = () => {
    const kept = new Map<string, string>();
    return {
      get length() {
        return kept.size;
      },
      key: (place: number) => [...kept.keys()][place] ?? null,
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    } as unknown as Storage;
  };
  it("are kept by contact until they are empty", () => {
    const into = storage();
    keepDraft("c1", "wants a refund", into);
    expect(draftOf("c1", into)).toBe("wants a refund");
    keepDraft("c1", "  ", into);
    expect(drafts(into)).toEqual([]);
  });
  it("are not kept without end", () => {
    const into = storage();
    for (let contact = 0; contact < 30; contact += 1) keepDraft(`c${contact}`, "text", into);
    expect(drafts(into)).toHaveLength(20);
    expect(draftOf("c29", into)).toBe("text");
  });
});

it("knows who did not take a caller", () => {
  expect(failedTarget("queue: sales")).toEqual({ kind: "queue", target: "sales" });
  expect(failedTarget("number: +49 30: 1")).toEqual({ kind: "number", target: "+49 30: 1" });
});
