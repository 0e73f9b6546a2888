/** What people wrote about a contact, and a place to write more. */
import { Button, Paper, Stack, Text, Textarea, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { ErrorNote, Rows } from "@/ui/notes";
import { toast } from "@/ui/toast";
import { usePastContact } from "./usePastContact";

const LONGEST = 4_000;

export function Notes({ contactId }: { contactId: string }) {
  const { t } = useTranslation(["contacts", "common"]);
  const [text, setText] = useState("");
  const past = usePastContact(contactId);
  const add = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/contacts/{contact_id}/notes", {
          params: { path: { contact_id: contactId } },
          body: { text: text.trim() },
        }),
      ),
    onSuccess: (contact) => {
      past.changed(contact);
      setText("");
      toast(t("common:saved"));
    },
  });
  return (
    <Paper className="panel" p={{ base: "md", sm: "lg" }}>
      <Stack gap="md">
        <Title order={2} fz="1rem">
          {t("notes.title")}
        </Title>
        {past.isLoading && <Rows rows={1} height={36} />}
        {past.error && <ErrorNote problem={past.error} onRetry={() => void past.refetch()} />}
        {past.notes.map((note) => (
          <Stack key={`${note.at_ms} ${note.author_id}`} gap={2}>
            <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
              {note.text}
            </Text>
            <Text size="xs" c="dimmed">
              {note.author_name || note.author_id} · {when(ms(note.at_ms))}
            </Text>
          </Stack>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) add.mutate();
          }}
        >
          <Stack gap="xs">
            <Textarea
              label={t("notes.new")}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              maxLength={LONGEST}
              autosize
              minRows={2}
              maxRows={8}
            />
            {add.error && <ErrorNote problem={add.error} />}
            <Button
              type="submit"
              variant="default"
              w="fit-content"
              disabled={!text.trim()}
              loading={add.isPending}
            >
              {t("notes.add")}
            </Button>
          </Stack>
        </form>
      </Stack>
    </Paper>
  );
}
