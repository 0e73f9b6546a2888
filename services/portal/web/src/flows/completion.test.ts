import { expect, it } from "vitest";
import { completer, wordsAt } from "./completion";

const TEXT = `{ "start": "", "nodes": { "a": { "kind": "say", "" : 1, "next": "" },
  "b": { "kind": "enqueue", "queue": "", "on_exit": { "": "" } }, "c": { "kind": "" } } }`;
const at = (mark: string) => TEXT.indexOf(mark) + mark.length;

it("completes what may stand there", () => {
  const words = (place: number) => wordsAt(TEXT, place, ["sales"]);
  expect(words(at('"start": "'))).toEqual(["a", "b", "c"]);
  expect(words(at('"say", "'))).toEqual(["kind", "text", "prompt", "language", "next"]);
  expect(words(at('"next": "'))).toEqual(["a", "b", "c"]);
  expect(words(at('"queue": "'))).toEqual(["sales"]);
  expect(words(at('"on_exit": { "'))).toContain("timeout");
  expect(words(at('"c": { "kind": "'))).toContain("hangup");
  expect(words(1)).toContain("nodes");
});

it("puts quotes where there are none, and says nothing unasked", () => {
  const complete = completer(() => []);
  const asked = (text: string, explicit: boolean) =>
    complete({
      state: { doc: text as unknown as { toString(): string } },
      pos: text.length,
      explicit,
    });
  expect(asked("{ ", false)).toBeNull();
  expect(asked("{ ", true)?.options[0]?.apply).toBe('"schema"');
  expect(asked('{ "na', false)).toMatchObject({ from: 3 });
});
