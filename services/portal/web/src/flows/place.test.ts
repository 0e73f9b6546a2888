import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KINDS } from "./model";
import { around, kindAt, nodesIn, spotOf } from "./place";

const TEXT = `{
  "start": "menu",
  "nodes": {
    "menu": { "kind": "menu", "choices": { "1": "end" }, "prompts": ["a \\"menu\\": x"] },
    "end": { "kind": "hangup" }
  }
}`;

describe("places in a text", () => {
  it("finds keys by their path, not words in texts", () => {
    const spot = spotOf(TEXT, ["nodes", "end"]);
    expect(TEXT.slice(spot?.from, spot?.to)).toBe('"end"');
    expect(TEXT.slice(spot?.to).startsWith(': { "kind": "hangup"')).toBe(true);
    expect(spotOf(TEXT, ["nodes", "none"])).toBeNull();
  });
  it("knows nodes and kinds, also of a text that is not finished", () => {
    expect(nodesIn(TEXT)).toEqual(["menu", "end"]);
    expect(nodesIn(TEXT.slice(0, -6))).toEqual(["menu", "end"]);
    expect(kindAt(TEXT, "end")).toBe("hangup");
    expect(kindAt(TEXT, "none")).toBe("");
  });
  it("knows what is being written", () => {
    const begun = '{ "nodes": { "a": { "ki';
    expect(around(begun, begun.length)).toMatchObject({
      path: ["nodes", "a"],
      isKey: true,
      quoted: true,
      begun: { from: begun.length - 2, to: begun.length },
    });
    const value = '{ "nodes": { "a": { "kind": "sa", "next": "" } } }';
    expect(around(value, value.indexOf("sa") + 2)).toMatchObject({ isKey: false, key: "kind" });
    expect(around(value, value.indexOf('"" }') + 1)).toMatchObject({ isKey: false, key: "next" });
    const empty = '{ "nodes": { "a": { ';
    expect(around(empty, empty.length)).toMatchObject({ isKey: true, quoted: false });
  });
});

it("knows the kinds and fields of the schema", () => {
  const path = new URL("../../../../ivr/flow.schema.json", import.meta.url).pathname;
  const { $defs } = JSON.parse(readFileSync(path, "utf8")) as {
    $defs: Record<string, { properties?: Record<string, { const?: string }> }>;
  };
  const kinds = Object.entries($defs)
    .filter(([name, made]) => made.properties?.kind?.const === name)
    .map(([name, made]) => [name, Object.keys(made.properties ?? {}).filter((f) => f !== "kind")]);
  const sorted = (all: Record<string, readonly string[]>) =>
    Object.fromEntries(Object.entries(all).map(([kind, fields]) => [kind, [...fields].sort()]));
  expect(sorted(KINDS)).toEqual(sorted(Object.fromEntries(kinds) as typeof KINDS));
});
