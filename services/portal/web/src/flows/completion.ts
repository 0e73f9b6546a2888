/** What may stand where the cursor is: kinds, fields, nodes and queues. */
import { around, kindAt, nodesIn } from "./place";
import { GOES_ON, KINDS } from "./model";

interface Asked {
  state: { doc: { toString(): string } };
  pos: number;
  explicit: boolean;
}

interface Completed {
  from: number;
  options: { label: string; apply: string; type: string }[];
}

const NODES = new Set<string>(["start", ...GOES_ON]);
const TOP = [
  "schema",
  "name",
  "language",
  "voice",
  "recording",
  "variables",
  "start",
  "nodes",
  "default_treatment",
];
const EXITS = [
  "timeout",
  "closed",
  "refused_full",
  "refused_no_agents",
  "overflowed",
  "callback",
  "voicemail",
  "failed",
];

/** The words that may stand at a place of a text. */
export function wordsAt(text: string, at: number, queues: readonly string[]): readonly string[] {
  const { path, isKey, key } = around(text, at);
  if (path.length === 0) {
    if (isKey) return TOP;
    if (key === "start") return nodesIn(text);
    return key === "recording" ? ["off", "announced", "policy"] : [];
  }
  if (path[0] === "default_treatment") return !isKey && key === "enqueue" ? queues : [];
  if (path[0] !== "nodes" || path.length < 2) return [];
  if (path.length === 2) {
    if (isKey) return ["kind", ...(KINDS[kindAt(text, path[1] ?? "")] ?? [])];
    if (key === "kind") return Object.keys(KINDS);
    if (key === "queue") return queues;
    return NODES.has(key) ? nodesIn(text) : [];
  }
  if (path[2] === "on_exit" && isKey) return EXITS;
  if (!isKey && (path[2] === "choices" || path[2] === "on_exit" || key === "next"))
    return nodesIn(text);
  return [];
}

/** For the editor. */
export function completer(queues: () => readonly string[]) {
  return ({ state, pos, explicit }: Asked): Completed | null => {
    const text = state.doc.toString();
    const { begun, quoted, isKey } = around(text, pos);
    if (!explicit && !quoted) return null;
    const words = wordsAt(text, pos, queues());
    if (words.length === 0) return null;
    const options = words.map((word) => ({
      label: word,
      apply: quoted ? word : `"${word}"`,
      type: isKey ? "property" : "constant",
    }));
    return { from: begun.from, options };
  };
}
