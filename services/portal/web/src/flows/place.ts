/** Where things stand in a flow's text, also while it is being written and no JSON yet. */

export interface Spot {
  from: number;
  to: number;
}

/** What surrounds a place in the text. */
export interface Around {
  /** Keys from the outside to the innermost object or list. */
  path: string[];
  /** True: a key is written here; false: the value of `key`. */
  isKey: boolean;
  key: string;
  /** The word that is begun, without its quote. */
  begun: Spot;
  /** True: the word has a quote already. */
  quoted: boolean;
}

/** The key of what happens after a failure, which faults name as if it were a node. */
const TREATMENT = "default_treatment";

interface Level {
  list: boolean;
  key: string;
  isKey: boolean;
}

/** Reads the text and tells every key, and the place `until`. */
function read(
  text: string,
  onKey: (path: string[], spot: Spot) => void,
  until = text.length,
): Around {
  const levels: Level[] = [];
  const path = () => levels.slice(0, -1).map((level) => level.key);
  const word = /"(?:[^"\\\n]|\\.)*"?|[A-Za-z0-9_.+-]+/y;
  let at = 0;
  while (at < until) {
    const sign = text[at] ?? "";
    const top = levels.at(-1);
    if (sign === "{" || sign === "[")
      levels.push({ list: sign === "[", key: sign === "[" ? "[]" : "", isKey: sign === "{" });
    else if (sign === "}" || sign === "]") levels.pop();
    else if (sign === ":" && top) top.isKey = false;
    else if (sign === "," && top) top.isKey = !top.list;
    else if (/["A-Za-z0-9_]/.test(sign)) {
      word.lastIndex = at;
      const found = word.exec(text)?.[0] ?? sign;
      const quoted = sign === '"';
      const closed = quoted && found.length > 1 && found.endsWith('"');
      if (at + found.length >= until && !(closed && at + found.length === until)) {
        const begun = { from: at + (quoted ? 1 : 0), to: until };
        return { path: path(), isKey: top?.isKey ?? false, key: top?.key ?? "", begun, quoted };
      }
      if (top?.isKey) {
        top.key = quoted ? found.slice(1, closed ? -1 : undefined) : found;
        onKey(
          levels.map((level) => level.key),
          { from: at, to: at + found.length },
        );
      }
      at += found.length;
      continue;
    }
    at += 1;
  }
  const top = levels.at(-1);
  return {
    path: path(),
    isKey: top?.isKey ?? false,
    key: top?.isKey ? "" : (top?.key ?? ""),
    begun: { from: until, to: until },
    quoted: false,
  };
}

/** Where a key with its path stands, for example `["nodes", "menu"]`; null: nowhere. */
export function spotOf(text: string, path: readonly string[]): Spot | null {
  let found: Spot | null = null;
  const wanted = path.join("\n");
  read(text, (keys, spot) => {
    if (!found && keys.join("\n") === wanted) found = spot;
  });
  return found;
}

interface Said {
  node: string;
  code: string;
  message: string;
}

/** The fields that a fault names, in its order; what it proposes instead is none of them. */
function namesIn(message: string): string[] {
  const said = message.split("; did you mean")[0] ?? "";
  return [...said.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? "");
}

/** Where a node, or the flow when the path is empty, begins and ends in the text. */
function regionOf(text: string, path: readonly string[]): Spot {
  const begin = spotOf(text, path);
  if (!begin) return { from: 0, to: path.length === 0 ? text.length : 0 };
  let to = text.length;
  read(text, (keys, spot) => {
    if (to === text.length && spot.from > begin.from && keys.length <= path.length) to = spot.from;
  });
  return { from: begin.from, to };
}

/** Where a fault is: the field that it names, else the words, else its node or the beginning. */
export function faultSpot(text: string, { node, code, message }: Said): Spot {
  const begins = { from: 0, to: Math.min(1, text.length) };
  const at = /\(char (\d+)\)/.exec(message)?.[1];
  if (at !== undefined) {
    const from = Math.min(Number(at), Math.max(0, text.length - 1));
    return { from, to: Math.min(text.length, from + 1) };
  }
  const path = !node ? [] : node.startsWith(TREATMENT) ? [TREATMENT] : ["nodes", node];
  const whole = (path.length > 0 && spotOf(text, path)) || begins;
  if (code === "missing-key") return whole;
  const region = regionOf(text, path);
  for (const name of namesIn(message)) {
    const field = spotOf(text, [...path, ...name.split(".")]);
    if (field) return field;
    const [first = ""] = name.split(".");
    const outer = spotOf(text, [...path, first]);
    if (outer) return outer;
    const from = text.indexOf(JSON.stringify(name).slice(1, -1), region.from);
    if (from >= 0 && from < region.to) return { from, to: from + name.length };
  }
  return whole;
}

/** The line of a place, from 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** What is being written at a place. */
export function around(text: string, at: number): Around {
  return read(text, () => undefined, at);
}

/** The kind of a node, as far as it is written. */
export function kindAt(text: string, node: string): string {
  const spot = spotOf(text, ["nodes", node, "kind"]);
  return spot ? (/^\s*:\s*"([a-z]+)"/.exec(text.slice(spot.to))?.[1] ?? "") : "";
}

/** The ids of all nodes. */
export function nodesIn(text: string): string[] {
  const found: string[] = [];
  read(text, (keys) => {
    if (keys.length === 2 && keys[0] === "nodes" && keys[1]) found.push(keys[1]);
  });
  return found;
}
