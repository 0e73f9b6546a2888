/** Notes on earlier contacts that could not be saved: to save now, or to throw away. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconNote } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ask } from "@/ui/Ask";
import { toast, toastProblem } from "@/ui/toast";
import { draftOf, drafts, keepDraft } from "../drafts";

const PATIENCE_MS = 2_500;

export function LeftDrafts() {
  const { t } = useTranslation(["desk", "common"]);
  const [left, setLeft] = useState<string[]>([]);
  useEffect(() => {
    // The note of the contact that has just ended is saved by itself in the meantime.
    const timer = setTimeout(() => setLeft(drafts()), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  const forget = (contact: string) => {
    keepDraft(contact, "");
    setLeft(drafts());
  };
  const save = useMutation({
    mutationFn: (contact_id: string) =>
      told(
        api.POST("/v1/contacts/{contact_id}/notes", {
          params: { path: { contact_id } },
          body: { text: draftOf(contact_id) },
        }),
      ),
    onSuccess: (_, contact) => {
      forget(contact);
      toast(t("common:saved"));
    },
    onError: toastProblem,
  });
  const throwAway = async (contact: string) => {
    if (await ask({ text: t("desk:notes.throwAwayAsk"), yes: t("desk:notes.throwAway") }))
      forget(contact);
  };
  const shown = left.filter((contact) => draftOf(contact));
  if (shown.length === 0) return null;
  return (
    <Stack gap="xs">
      {shown.map((contact) => (
        <Alert key={contact} color="yellow" variant="light" icon={<IconNote aria-hidden />}>
          <Stack gap="xs">
            <Text size="sm" fw={560}>
              {t("desk:notes.left")}
            </Text>
            <Text size="sm" lineClamp={3}>
              {draftOf(contact)}
            </Text>
            <Group gap="xs">
              <Button
                size="compact-sm"
                loading={save.isPending}
                onClick={() => save.mutate(contact)}
              >
                {t("desk:notes.save")}
              </Button>
              <Button size="compact-sm" variant="default" onClick={() => void throwAway(contact)}>
                {t("desk:notes.throwAway")}
              </Button>
            </Group>
          </Stack>
        </Alert>
      ))}
    </Stack>
  );
}
