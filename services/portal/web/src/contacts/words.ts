/** The steps of a story in words. */
import type { Schema } from "@/api/types";
import { length } from "@/i18n/format";
import { nodeName } from "@/ui/menuPath";

export type StoryStep = Schema<"analytics.v1.StoryStep">;

/** Says a key of the catalogue `contacts` with its values. */
export type Say = (key: string, values?: Record<string, unknown>) => string;

/** The sentences that there are, below `step` in the catalogue; `kind` or `kind-word`. */
export const SENTENCES: ReadonlySet<string> = new Set([
  "invited",
  "node",
  "said",
  "said-music",
  "keyed",
  "keyed-flow",
  "queued",
  "position",
  "position-told",
  "reserved",
  "ringing",
  "released",
  "released-undelivered",
  "released-no_answer",
  "released-reject",
  "released-busy",
  "released-unreachable",
  "released-caller_gone",
  "released-connect_failed",
  "accepted",
  "bridged",
  "bridged-silent",
  "hold",
  "unhold",
  "mute",
  "unmute",
  "keypad",
  "transfer-queue",
  "transfer-agent",
  "transfer-number",
  "recording-on",
  "recording-off",
  "recording-paused",
  "recording-failed",
  "connection-connected",
  "connection-lost",
  "left",
  "left-answered",
  "left-abandoned",
  "left-overflowed",
  "left-timeout",
  "left-closed",
  "left-callback",
  "left-voicemail",
  "left-refused",
  "left-failed",
  "completed",
  "completed-caller",
  "completed-agent",
  "completed-system",
  "wrap-up-ended",
  "wrap-up-ended-timeout",
  "wrap-up-ended-skipped",
  "disposition",
  "flow-attached",
  "flow-detached",
  "flow-consent",
  "flow-flow-failed",
  "leg-started",
  "leg-early",
  "leg-ringing",
  "leg-answered",
  "leg-bridged",
  "leg-ended",
  "ended",
]);

/** Ends of calls that have words of their own, below `ending`. */
export const ENDINGS: ReadonlySet<string> = new Set([
  "caller-hung-up",
  "caller-cancelled",
  "agent-left",
  "flow-ended",
  "ended-by-request",
  "no-common-codec",
  "no-ack",
  "media-timeout",
  "signalling-lost",
  "no-flow",
  "flow-overrun",
  "never-answered",
  "no-media-ports",
  "gateway-fault",
  "overloaded",
  "draining",
]);

/** What is left out unless somebody looks for a fault. */
const TECHNICAL = new Set(["leg", "flow", "node", "said", "connection-connected", "keyed-flow"]);

/** Kinds after which the reason that somebody gave is worth saying. */
const WITH_REASON = new Set(["transfer", "recording-paused", "recording-failed", "flow"]);

/** What sentences name beside what is made below; a dash where a step does not say. */
const TOLD = [
  "attempt",
  "basis",
  "code",
  "codec",
  "count",
  "exit",
  "jitter_ms",
  "node",
  "outcome",
  "packets_lost",
  "priority",
  "queue",
  "reason",
  "text",
];

/** The word that tells one sentence of a kind from another. */
function detail({ kind, source, values }: StoryStep): string {
  switch (kind) {
    case "said":
      return values.prompts === "music" ? "music" : "";
    case "keyed":
      return source === "flow" ? "flow" : "";
    case "position":
      return values.text ? "told" : "";
    case "bridged":
      return values.silent_legs ? "silent" : "";
    case "released":
      return values.outcome ?? "";
    case "transfer":
      return values.to ?? "";
    case "recording":
    case "connection":
    case "leg":
      return values.state ?? "";
    case "left":
      return values.exit ?? "";
    case "completed":
      return values.ended_by ?? "";
    case "wrap-up-ended":
      return values.cause ?? "";
    case "flow":
      return values.note ?? "";
    default:
      return "";
  }
}

/** Which sentence a step is said by; null: it is of a kind that nobody here knows. */
export function sentenceOf(step: StoryStep): string | null {
  const exact = `${step.kind}-${detail(step)}`;
  if (SENTENCES.has(exact)) return exact;
  return SENTENCES.has(step.kind) ? step.kind : null;
}

/** Whether a step is left out of the story that people read first. */
export function isTechnical(step: StoryStep): boolean {
  if (step.kind === "position" && step.source === "acd") return true;
  return TECHNICAL.has(step.kind) || TECHNICAL.has(sentenceOf(step) ?? "");
}

/** A step in one sentence; what nobody knows is shown plainly, never left out. */
export function wordsOf(
  step: StoryStep,
  say: Say,
  phone: (text: string) => string,
  label: (code: string) => string = (code) => code,
): string {
  const { values } = step;
  const sentence = sentenceOf(step);
  if (!sentence) return say("step.unknown", { kind: step.kind, values: plain(values) }).trim();
  const words = say(`step.${sentence}`, {
    ...Object.fromEntries(TOLD.map((name) => [name, "–"])),
    ...values,
    ...(values.count && { count: Number(values.count) }),
    who: values.agent || say(`who.${known(values.role)}`),
    ...(values.node && { node: nodeName(values.node) }),
    ...(values.code && { code: label(values.code) }),
    by: values.by_name || say("who.flow"),
    from: phone(values.from ?? "") || say("who.withheld"),
    to: phone(values.to ?? ""),
    target: values.target_name || phone(values.target ?? ""),
    wait: length(Number(values.wait_s ? Number(values.wait_s) * 1000 : values.wait_ms)),
    talk: length(Number(values.talk_ms)),
    hold: length(Number(values.hold_ms)),
    wrapUp: length(Number(values.wrap_up_ms)),
    length: length(Number(values.duration_ms)),
    ending: endingWords(values.termination ?? "", say),
  });
  const reasoned = WITH_REASON.has(step.kind) || WITH_REASON.has(sentence);
  if (!values.reason || !reasoned) return words;
  return say("step.because", { words, reason: values.reason });
}

/** Steps with their words; what is said again and again is told once, with how often. */
export function folded(
  steps: readonly StoryStep[],
  words: (step: StoryStep) => string,
): { step: StoryStep; words: string; times: number }[] {
  const told: { step: StoryStep; words: string; times: number }[] = [];
  for (const step of steps) {
    const said = words(step);
    const last = told.at(-1);
    // A place in the queue is told every few seconds: where the caller came to is what matters.
    const again = last?.step.kind === step.kind && (last.words === said || isPlace(step));
    // A disposition is set as soon as it is chosen, and once more with the end of wrap-up.
    const more = step.kind === "disposition" ? 0 : 1;
    if (last && again) told[told.length - 1] = { ...last, words: said, times: last.times + more };
    else told.push({ step, words: said, times: 1 });
  }
  return told;
}

function isPlace(step: StoryStep): boolean {
  return step.kind === "position" && step.source !== "acd";
}

/** How a call ended, `class/reason`, in words. */
export function endingWords(termination: string, say: Say): string {
  const reason = termination.split("/").at(-1) ?? "";
  if (!reason) return "";
  return ENDINGS.has(reason) ? say(`ending.${reason}`) : reason.replaceAll("-", " ");
}

function known(role: string | undefined): string {
  return role === "caller" || role === "agent" || role === "external" ? role : "somebody";
}

function plain(values: Record<string, string>): string {
  return Object.entries(values)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}
