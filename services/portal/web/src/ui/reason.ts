/** Why somebody is on a break, in the person's language where the catalogue has it. */
import i18next from "i18next";

/** The usual reasons; what is stored is the word, what is shown is the catalogue's. */
export const BREAKS = ["lunch", "pause", "meeting", "training", "paperwork"] as const;

/** The reason in words; one that the catalogue does not have is shown as it is. */
export function reasonWords(reason: string): string {
  const key = `break.${reason}`;
  return reason && i18next.exists(key) ? i18next.t(key as "break.lunch") : reason;
}
