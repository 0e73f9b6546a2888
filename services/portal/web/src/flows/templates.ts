/** Flows that work at once, to begin with. */

export const TEMPLATES = ["menu", "hours", "queue"] as const;
export type Template = (typeof TEMPLATES)[number];

export interface Chosen {
  name: string;
  zone: string;
  /** Queues by id and name; the second is asked for by the menu alone. */
  first: { id: string; name: string };
  second: { id: string; name: string };
  /** What is said, by its key under `spoken`. */
  said: (key: Said, values?: Record<string, string>) => string;
}

export type Said =
  "language" | "welcome" | "menu" | "wrong" | "leave" | "busy" | "closed" | "goodbye" | "trouble";

/** The flow's text. */
export function flowOf(template: Template, chosen: Chosen): string {
  const { said, first, second } = chosen;
  const waits = (queue: string) => ({
    kind: "enqueue",
    queue,
    messages: [said("leave")],
    message_every_s: 20,
    leave_key: "*",
    on_leave: "goodbye",
    on_exit: { timeout: "busy", closed: "busy", refused_full: "busy" },
  });
  const nodes: Record<string, object> =
    template === "menu"
      ? {
          welcome: { kind: "say", text: said("welcome"), next: "menu" },
          menu: {
            kind: "menu",
            prompts: [said("menu", { first: first.name, second: second.name })],
            choices: { "1": "first", "2": "second", "9": "menu" },
            invalid_prompts: [said("wrong")],
            on_timeout: "goodbye",
            on_invalid: "goodbye",
          },
          first: waits(first.id),
          second: waits(second.id),
        }
      : template === "hours"
        ? {
            answer: { kind: "answer", next: "door" },
            door: {
              kind: "hours",
              time_zone: chosen.zone,
              weekly: Object.fromEntries(
                ["mon", "tue", "wed", "thu", "fri"].map((day) => [day, ["09:00-17:00"]]),
              ),
              open: "welcome",
              closed: "closed",
            },
            welcome: { kind: "say", text: said("welcome"), next: "wait" },
            wait: waits(first.id),
            closed: { kind: "say", text: said("closed"), next: "goodbye" },
          }
        : {
            welcome: { kind: "say", text: said("welcome"), next: "wait" },
            wait: waits(first.id),
          };
  const flow = {
    schema: 1,
    name: chosen.name,
    language: said("language"),
    recording: "off",
    start: Object.keys(nodes)[0],
    nodes: {
      // A text is heard only by callers who are connected.
      ...(template === "hours" ? {} : { answer: { kind: "answer", next: "welcome" } }),
      ...nodes,
      busy: { kind: "say", text: said("busy"), next: "goodbye" },
      goodbye: { kind: "say", text: said("goodbye"), next: "end" },
      end: { kind: "hangup" },
    },
    default_treatment: { say: said("trouble"), enqueue: first.id },
  };
  if (template !== "hours") flow.start = "answer";
  return `${JSON.stringify(flow, null, 2)}\n`;
}
