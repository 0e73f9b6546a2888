/** What is being written, kept in this browser until it is saved or discarded. */
import { useCallback, useEffect, useRef, useState } from "react";
import { session } from "@/api/session";
import { useUnsaved } from "@/ui/unsaved";

interface Draft {
  /** The version that it began with. */
  version: number;
  text: string;
}

const keyOf = (id: string) => {
  const me = session.me();
  return `carillon.flow.${me?.tenant_id ?? ""}.${id}`;
};

function kept(id: string): Draft | null {
  try {
    const read = JSON.parse(localStorage.getItem(keyOf(id)) ?? "null") as Draft | null;
    return read && typeof read.text === "string" && typeof read.version === "number" ? read : null;
  } catch {
    return null;
  }
}

/** False: this browser has no room for it, and keeps it until the page is left. */
function keep(id: string, draft: Draft | null): boolean {
  try {
    if (draft) localStorage.setItem(keyOf(id), JSON.stringify(draft));
    else localStorage.removeItem(keyOf(id));
    return true;
  } catch {
    return false;
  }
}

/** True: changes of this flow wait in this browser to be saved. */
export function hasDraft(id: string): boolean {
  return kept(id) !== null;
}

/** `saved` is the newest version's text. */
export function useDraft(id: string, saved: string | undefined, newest: number) {
  const [draft, setDraft] = useState<Draft | null>(() => kept(id));
  const [lost, setLost] = useState(false);
  const latest = useRef({ saved, newest });
  useEffect(() => {
    latest.current = { saved, newest };
  });
  const write = useCallback(
    (text: string) =>
      setDraft((before) => {
        const now = latest.current;
        const next = text === now.saved ? null : { version: before?.version ?? now.newest, text };
        setLost(!keep(id, next));
        return next;
      }),
    [id],
  );
  const forget = useCallback(() => {
    keep(id, null);
    setDraft(null);
  }, [id]);
  const dirty = draft !== null && saved !== undefined && draft.text !== saved;
  // What is kept is there again when the page is opened again: nobody need be asked.
  useUnsaved(dirty && lost);
  return {
    text: draft?.text ?? saved,
    dirty,
    /** The version that the changes began with; 0: there are none. */
    from: dirty ? draft.version : 0,
    write,
    forget,
  };
}
