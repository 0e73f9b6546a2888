/** Saves the note of a contact whose time ran out while it was being written. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { DeskWork } from "@/api/types";
import { toast } from "@/ui/toast";
import { draftOf, keepDraft } from "./drafts";

/** Analytics hears of the end a moment after the desk. */
const FIGURES_LATER_MS = 1_500;

export function LeftNotes({ works }: { works: DeskWork[] }) {
  const { t } = useTranslation("desk");
  const queries = useQueryClient();
  const before = useRef<string[]>([]);
  const contacts = works.map((work) => work.reservation?.contact_id ?? "").join(" ");
  useEffect(() => {
    const now = contacts.split(" ").filter(Boolean);
    const gone = before.current.filter((contact) => !now.includes(contact));
    before.current = now;
    if (gone.length === 0) return;
    for (const contact_id of gone) {
      const text = draftOf(contact_id);
      if (!text) continue;
      // A failure leaves the draft where it is: the desk offers it again.
      void told(
        api.POST("/v1/contacts/{contact_id}/notes", {
          params: { path: { contact_id } },
          body: { text },
        }),
      ).then(
        () => {
          keepDraft(contact_id, "");
          toast(t("notes.savedAtEnd"));
        },
        () => undefined,
      );
    }
    const timer = setTimeout(
      () => void queries.invalidateQueries({ queryKey: ["desk"] }),
      FIGURES_LATER_MS,
    );
    return () => clearTimeout(timer);
  }, [contacts, queries, t]);
  return null;
}
