/** A flow's JSON as the pages read it: nodes, and the ways out of them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = Record<string, Json>;

export interface FlowNode {
  id: string;
  kind: string;
  fields: Fields;
}

/** One way out of a node. */
export interface Way {
  to: string;
  /** `next`, `key`, `case`, `exit`, or the field's name. */
  way: string;
  /** The key, the condition or the exit. */
  value: string;
}

export interface Flow {
  name: string;
  language: string;
  start: string;
  nodes: FlowNode[];
}

/** Fields that name the node where it goes on. */
export const GOES_ON = [
  "next",
  "open",
  "closed",
  "holiday",
  "else",
  "on_timeout",
  "on_invalid",
  "on_refused",
  "on_leave",
  "on_failed",
  "after_agent",
] as const;

/** Every kind of node and what it may say, as the flow's schema has it (a test compares). */
export const KINDS: Record<string, readonly string[]> = {
  answer: ["next"],
  say: ["text", "prompt", "language", "next"],
  play: ["prompts", "next"],
  menu: [
    "prompts",
    "choices",
    "on_timeout",
    "on_invalid",
    "timeout_s",
    "retries",
    "invalid_prompts",
    "barge_in",
  ],
  gather: [
    "prompts",
    "into",
    "min_digits",
    "max_digits",
    "end_key",
    "safe",
    "next",
    "on_timeout",
    "on_invalid",
    "timeout_s",
    "next_digit_timeout_s",
    "retries",
    "invalid_prompts",
    "barge_in",
  ],
  consent: [
    "mode",
    "prompts",
    "next",
    "on_refused",
    "accept_key",
    "refuse_key",
    "timeout_s",
    "retries",
    "invalid_prompts",
    "barge_in",
  ],
  set: ["values", "next"],
  branch: ["cases", "else"],
  hours: ["calendar", "time_zone", "weekly", "holidays", "open", "closed", "holiday"],
  enqueue: [
    "queue",
    "priority",
    "skills",
    "attributes",
    "music",
    "messages",
    "message_every_s",
    "leave_key",
    "leave_exit",
    "on_leave",
    "on_exit",
    "after_agent",
  ],
  transfer: ["to", "queue", "timeout_s", "caller_id", "on_failed"],
  hangup: ["reason", "sip_status"],
};

const isObject = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: Json | undefined) => (typeof value === "string" ? value : "");

/** The flow in a text; null when it is no JSON object. */
export function flowIn(json: string): Flow | null {
  let read: Json;
  try {
    read = JSON.parse(json) as Json;
  } catch {
    return null;
  }
  if (!isObject(read)) return null;
  const nodes = isObject(read.nodes) ? read.nodes : {};
  return {
    name: text(read.name),
    language: text(read.language),
    start: text(read.start),
    nodes: Object.entries(nodes).flatMap(([id, fields]) =>
      isObject(fields) ? [{ id, kind: text(fields.kind), fields }] : [],
    ),
  };
}

/** The ways out of a node, in the order in which they are read. */
export function waysOf({ fields }: FlowNode): Way[] {
  const ways: Way[] = [];
  const add = (to: Json | undefined, way: string, value = "") => {
    if (typeof to === "string" && to) ways.push({ to, way, value });
  };
  if (isObject(fields.choices))
    for (const [key, to] of Object.entries(fields.choices)) add(to, "key", key);
  if (Array.isArray(fields.cases))
    for (const one of fields.cases) if (isObject(one)) add(one.next, "case", text(one.when));
  for (const field of GOES_ON) add(fields[field], field);
  if (isObject(fields.on_exit))
    for (const [exit, to] of Object.entries(fields.on_exit)) add(to, "exit", exit);
  return ways;
}

/** What people call what a flow names by an id. */
export interface Named {
  queue: (id: string) => string;
  sound: (name: string) => string;
}

/** What a prompt says, for people: its words, or the name of its sound. */
export function promptWords(prompt: Json | undefined, named: Named): string {
  if (typeof prompt === "string") return prompt;
  if (Array.isArray(prompt))
    return prompt
      .map((one) => promptWords(one, named))
      .filter(Boolean)
      .join(" ");
  if (!isObject(prompt)) return "";
  if (prompt.text) return text(prompt.text);
  if (prompt.prompt) return `♪ ${text(prompt.prompt)}`;
  if (prompt.system) return `♪ ${named.sound(text(prompt.system))}`;
  return prompt.sha256 ? `♪ ${text(prompt.sha256).slice(0, 8)}…` : "";
}

/** The line below a node's title: what it says or does. */
export function excerptOf({ kind, fields }: FlowNode, named: Named): string {
  switch (kind) {
    case "say":
      return text(fields.text) || (fields.prompt ? `♪ ${text(fields.prompt)}` : "");
    case "play":
    case "menu":
    case "gather":
    case "consent":
      return promptWords(fields.prompts, named);
    case "enqueue":
      return named.queue(text(fields.queue));
    case "transfer":
      return text(fields.to) || named.queue(text(fields.queue));
    case "hours":
      return text(fields.calendar) || text(fields.time_zone);
    case "set":
      return isObject(fields.values) ? Object.keys(fields.values).join(", ") : "";
    case "branch":
      return Array.isArray(fields.cases) && isObject(fields.cases[0])
        ? text(fields.cases[0].when)
        : "";
    case "hangup":
      return text(fields.reason);
    default:
      return "";
  }
}
