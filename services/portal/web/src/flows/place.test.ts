import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KINDS } from "./model";
import { around, faultSpot, kindAt, lineOf, nodesIn, spotOf } from "./place";

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

describe("the place of a fault", () => {
  const flow = `{
  "start": "wait",
  "nodes": {
    "wait": {
      "kind": "enqueue",
      "queue": "sales",
      "messages": ["You are {positon}."],
      "on_exit": { "timeout": "bye" }
    },
    "bye": { "kind": "hangup", "reason": "sales" }
  },
  "default_treatment": { "say": "Sorry", "enqueue": "Sales!" }
}`;
  const at = (node: string, code: string, message: string) => {
    const { from, to } = faultSpot(flow, { node, code, message });
    return `${lineOf(flow, from)} ${flow.slice(from, to)}`;
  };
  it("is the field that it names", () => {
    const leads = "`on_exit.timeout` leads to `by`, which is no node; did you mean `bye`?";
    expect(at("wait", "missing-node", leads)).toBe('8 "timeout"');
    expect(at("wait", "wrong-length", "`messages`: must have 1 to 8 entries")).toBe('7 "messages"');
    expect(at("", "missing-node", "`start` names `w`, which is no node")).toBe('2 "start"');
    expect(at("default_treatment", "wrong-form", "`enqueue`: `Sales!` is not")).toBe(
      '12 "enqueue"',
    );
  });
  it("is the word in a text, within the node", () => {
    const name = "`positon` is not declared in the flow's variables; did you mean `position`?";
    expect(at("wait", "undeclared-name", name)).toBe("7 positon");
    expect(at("bye", "undeclared-name", name)).toBe('10 "bye"');
  });
  it("is the node when a field is missing, or nothing is named", () => {
    expect(at("wait", "missing-key", "`queue` is missing")).toBe('4 "wait"');
    expect(at("bye", "unreachable-node", "no way leads here")).toBe('10 "bye"');
    expect(at("gone", "unreachable-node", "no way leads here")).toBe("1 {");
  });
  it("is the sign at which the text is no JSON any more", () => {
    const place = flow.indexOf('"queue"');
    expect(at("", "not-json", `the flow is no JSON: Expecting ',' (char ${place})`)).toBe('6 "');
    expect(faultSpot("", { node: "", code: "not-json", message: "(char 0)" })).toEqual({
      from: 0,
      to: 0,
    });
  });
});
