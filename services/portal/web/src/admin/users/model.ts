/** What a user form holds, what is wrong with it, and what is sent. */
import type { Schema, User } from "@/api/types";
import type { AgentConfig } from "../common/data";

export const ROLES = ["agent", "supervisor", "administrator"] as const;
export const CHANNELS = ["voice", "chat", "email", "task"] as const;
export const SHORTEST_PASSWORD = 12;

export type Channel = (typeof CHANNELS)[number];

export interface Skill {
  name: string;
  level: number;
}

export interface Draft {
  username: string;
  display_name: string;
  email: string;
  roles: string[];
  active: boolean;
  password: string;
  queues: string[];
  skills: Skill[];
  capacities: Record<Channel, number>;
}

export type FaultName = "username" | "taken" | "name" | "email" | "roles" | "password" | "skills";

export function draftOf(user: User | null, config: AgentConfig | undefined): Draft {
  const limit = (channel: Channel) =>
    Number(config?.capacities.find((each) => each.channel === channel)?.limit ?? 0);
  return {
    username: user?.username ?? "",
    display_name: user?.display_name ?? "",
    email: user?.email ?? "",
    roles: user?.roles ?? ["agent"],
    active: user?.active ?? true,
    password: "",
    queues: config?.queues.map((queue) => queue.queue_id) ?? [],
    skills: config?.skills.map((skill) => ({ name: skill.name, level: Number(skill.level) })) ?? [],
    capacities: {
      voice: config ? limit("voice") : 1,
      chat: limit("chat"),
      email: limit("email"),
      task: limit("task"),
    },
  };
}

/** Everything that is wrong, by field. */
export function faultsOf(draft: Draft, fresh: boolean, taken: readonly string[]): FaultName[] {
  const faults: FaultName[] = [];
  if (fresh && !/^[\w.@-]{1,100}$/.test(draft.username)) faults.push("username");
  else if (fresh && taken.includes(draft.username.toLowerCase())) faults.push("taken");
  if (!draft.display_name.trim()) faults.push("name");
  if (draft.email && !/^\S+@\S+\.\S+$/.test(draft.email.trim())) faults.push("email");
  if (draft.roles.length === 0) faults.push("roles");
  if (fresh && draft.password.length < SHORTEST_PASSWORD) faults.push("password");
  const names = draft.skills.map((skill) => skill.name.trim());
  if (names.some((name) => !name) || new Set(names).size < names.length) faults.push("skills");
  return faults;
}

/** The routing part; what the form does not show stays as it was. */
export function routingOf(
  draft: Draft,
  before: AgentConfig | undefined,
): Omit<Schema<"acd.v1.AgentConfig">, "agent_id"> {
  return {
    name: draft.display_name.trim(),
    endpoint: before?.endpoint || "webrtc:",
    attributes: before?.attributes ?? [],
    skills: draft.skills.map(({ name, level }) => ({ name: name.trim(), level: String(level) })),
    queues: draft.queues.map(
      (queue_id) =>
        before?.queues.find((queue) => queue.queue_id === queue_id) ?? { queue_id, position: "0" },
    ),
    capacities: CHANNELS.filter((channel) => draft.capacities[channel] > 0).map((channel) => ({
      channel,
      limit: String(draft.capacities[channel]),
    })),
  };
}

/** True: the routing part says something else than before. */
export function routingChanged(draft: Draft, before: AgentConfig | undefined): boolean {
  if (!before) return true;
  return JSON.stringify(sorted(routingOf(draft, before))) !== JSON.stringify(sorted(before));
}

function sorted(config: Omit<Schema<"acd.v1.AgentConfig">, "agent_id">) {
  const flat = (lists: readonly object[]) =>
    lists.map((one) => JSON.stringify(Object.entries(one).sort())).sort();
  return [
    config.name,
    config.endpoint,
    flat(config.skills),
    flat(config.queues),
    flat(config.capacities),
  ];
}
