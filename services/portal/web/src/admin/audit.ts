/** The audit trail in words. */
import i18next from "i18next";

/** Beginnings of actions that people look for. */
export const AREAS = {
  signIn: "sign-in",
  people: "carillon.portal.",
  routing: "carillon.acd.",
  flows: "carillon.ivr.",
  recordings: "carillon.recording.",
  listen: "listen",
  customers: "carillon.crm.",
  alarms: "carillon.analytics.",
} as const;

export type Area = keyof typeof AREAS;

/** `PutQueue` of `carillon.acd.v1.Acd/PutQueue`; other actions are words already. */
export function actionKey(action: string): string {
  return action.slice(action.lastIndexOf("/") + 1);
}

/** What was done: in the person's language where the catalogue has it, else taken apart. */
export function actionWords(action: string): string {
  const word = /^(Get|List|Watch|LookUp|Explain|Suggest)/.test(actionKey(action))
    ? "read"
    : actionKey(action);
  const key = `admin:audit.action.${word}`;
  if (i18next.exists(key)) return i18next.t(key as "admin:audit.action.PutQueue");
  const apart = word
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("-", " ")
    .toLowerCase();
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}

/** `agent 01a2-…` with the agent's name, where it is known, in the person's language. */
export function subjectWords(subject: string, names: ReadonlyMap<string, string>): string {
  return subject
    .split(", ")
    .map((part) => {
      const [, noun = "", id = ""] = /^(\S+) (.+)$/.exec(part) ?? [];
      const key = `admin:audit.noun.${noun}`;
      if (!id || !i18next.exists(key)) return names.get(part) ?? part;
      return i18next.t(key as "admin:audit.noun.queue", { name: names.get(id) ?? id });
    })
    .join(", ");
}
