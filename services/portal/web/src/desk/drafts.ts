/** Notes that were begun and are not saved yet, kept on this machine by contact. */
const PREFIX = "carillon.note.";
/** Drafts of contacts that nobody came back to. */
const MAX_KEPT = 20;

/** The draft of a contact; empty: none. */
export function draftOf(contactId: string, from: Storage = localStorage): string {
  return from.getItem(PREFIX + contactId) ?? "";
}

/** Keeps a draft, or forgets it when it is empty. */
export function keepDraft(contactId: string, text: string, into: Storage = localStorage): void {
  if (text.trim() === "") return into.removeItem(PREFIX + contactId);
  const kept = drafts(into);
  if (!kept.includes(contactId))
    for (const old of kept.slice(0, Math.max(0, kept.length + 1 - MAX_KEPT)))
      into.removeItem(PREFIX + old);
  into.setItem(PREFIX + contactId, text);
}

/** The contacts that have drafts. */
export function drafts(within: Storage = localStorage): string[] {
  return Array.from({ length: within.length }, (_, place) => within.key(place) ?? "")
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length));
}
