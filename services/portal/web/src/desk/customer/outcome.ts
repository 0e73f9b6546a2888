/** How a contact ended, in words. */
import i18next from "i18next";

export function outcomeWords(outcome: string): string {
  const key = `desk:outcome.${outcome || "none"}`;
  return i18next.exists(key) ? i18next.t(key as "desk:outcome.answered") : outcome;
}
