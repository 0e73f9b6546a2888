/** Notes on the contact. What is typed is kept on this machine until it is saved. */
import { Button, Group, Stack, Text, Textarea, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { DeskWork } from "@/api/types";
import { useShortcuts } from "@/app/shortcuts";
import { usePastContact } from "@/contacts/usePastContact";
import { ErrorNote } from "@/ui/notes";
import { useHistory } from "../customer/useHistory";
import { draftOf, keepDraft } from "../drafts";
import { NoteList } from "../customer/NoteList";

const MAX_CHARS = 4_000;

export function Notes({ work }: { work: DeskWork }) {
  const { t } = useTranslation(["desk", "common"]);
  const contact_id = work.reservation?.contact_id ?? "";
  const [text, setText] = useState(() => draftOf(contact_id));
  const field = useRef<HTMLTextAreaElement>(null);
  const past = usePastContact(contact_id);
  const history = useHistory(work);
  const write = (next: string) => {
    setText(next);
    keepDraft(contact_id, next);
  };
  const save = useMutation({
    mutationFn: (said: string) =>
      told(
        api.POST("/v1/contacts/{contact_id}/notes", {
          params: { path: { contact_id } },
          body: { text: said },
        }),
      ),
    onSuccess: (contact, said) => {
      past.changed(contact);
      history.changed(contact);
      // What was typed meanwhile stays.
      setText((now) => {
        const rest = now === said ? "" : now.startsWith(said) ? now.slice(said.length) : now;
        keepDraft(contact_id, rest);
        return rest;
      });
    },
  });
  useShortcuts([
    {
      keys: "n",
      label: t("desk:notes.write"),
      group: t("desk:keys.call"),
      run: () => field.current?.focus(),
    },
  ]);
  const send = () => {
    if (text.trim() && !save.isPending) save.mutate(text);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
    if (event.key === "Escape") field.current?.blur();
  };
  return (
    <Stack gap="xs" component="section" aria-labelledby="notes-title">
      <Title order={2} id="notes-title" fz="md">
        {t("desk:notes.title")}
      </Title>
      <NoteList notes={past.notes} />
      <Textarea
        ref={field}
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={keys}
        placeholder={t("desk:notes.placeholder")}
        aria-labelledby="notes-title"
        autosize
        minRows={3}
        maxRows={10}
        maxLength={MAX_CHARS}
      />
      {save.error && <ErrorNote problem={save.error} onRetry={send} />}
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {text.trim() ? t("desk:notes.kept") : t("desk:notes.keys")}
        </Text>
        <Button variant="light" disabled={!text.trim()} loading={save.isPending} onClick={send}>
          {t("desk:notes.save")}
        </Button>
      </Group>
    </Stack>
  );
}
