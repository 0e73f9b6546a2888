/** An imagined call as a conversation, and the way that it took. */
import type { Schema } from "@/api/types";

export type Step = Schema<"ivr.v1.SimulatedStep">;

export interface Turn {
  /** Who: the flow speaks, the caller does something, or it is told what happens. */
  side: "flow" | "caller" | "note";
  /** The step's kind, with what makes it another sentence: `queue.joined`, `hours.open`. */
  kind: string;
  node: string;
  atMs: number;
  values: Record<string, string>;
}

const FLOW = new Set(["say", "play"]);
const CALLER = new Set(["keyed"]);
/** Steps that say nothing to people: the next one does. */
const SILENT = new Set(["enter", "ask"]);

function kindOf({ kind, values }: Step): string {
  if (kind === "queue") return values.exit ? "queue.exit" : `queue.${values.state ?? "joined"}`;
  if (kind === "agent") return `agent.${values.state ?? "rings"}`;
  if (kind === "dial") return values.outcome ? "dial.outcome" : "dial.rings";
  if (kind === "set") return values.recording ? `recording.${values.recording}` : "set";
  if (kind === "play") return values.sound ? "play.sound" : "play.prompt";
  if (kind === "hang-up") return "hangUp";
  return kind;
}

/** What is said and done, in order; the same music again is not told again. */
export function storyOf(steps: readonly Step[]): Turn[] {
  const turns: Turn[] = [];
  let sound = "";
  for (const step of steps) {
    if (SILENT.has(step.kind)) continue;
    const kind = kindOf(step);
    const name = `${step.node} ${step.values.sound ?? ""}`;
    if (kind === "play.sound" && name === sound) continue;
    if (kind === "play.sound") sound = name;
    turns.push({
      side: FLOW.has(step.kind) ? "flow" : CALLER.has(step.kind) ? "caller" : "note",
      kind,
      node: step.node,
      atMs: Number(step.at_ms),
      values: step.values,
    });
  }
  return turns;
}

/** The nodes that were met, and from which to which it went (`from\nto`). */
export function wayOf(steps: readonly Step[]): {
  nodes: Set<string>;
  edges: Set<string>;
  last: string;
} {
  const nodes = new Set<string>();
  const edges = new Set<string>();
  let last = "";
  for (const step of steps) {
    if (step.kind !== "enter") continue;
    if (last) edges.add(`${last}\n${step.node}`);
    nodes.add(step.node);
    last = step.node;
  }
  return { nodes, edges, last };
}

/** The milliseconds of a local date and time (`2026-11-23T14:05`) in a zone; 0: none was given. */
export function instantOf(local: string, zone: string): number {
  const utc = Date.parse(`${local}Z`);
  if (!local || Number.isNaN(utc)) return 0;
  const offset = (at: number) => {
    const parts = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      dateStyle: "short",
      timeStyle: "medium",
    })
      .format(at)
      .replace(", ", "T");
    return Date.parse(`${parts}Z`) - at;
  };
  return utc - offset(utc - offset(utc));
}
