/** What a customer called about before, the latest first. */
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import { ms, type PastContact } from "@/api/types";
import { Link } from "@/app/go";
import { useLabels } from "@/desk/customer/useLabels";
import { length, when } from "@/i18n/format";
import { PagedRows } from "@/ui/PagedRows";
import { usePaged } from "@/ui/paged";
import { Outcome } from "./Outcome";
import classes from "./History.module.css";

const PAGE = 25;

export function History({ customerId }: { customerId: string }) {
  const { t } = useTranslation(["contacts", "common"]);
  const found = usePaged({
    queryKey: ["history", customerId],
    read: (token) =>
      told(
        api.GET("/v1/customers/{customer_id}/contacts", {
          params: {
            path: { customer_id: customerId },
            query: { "page.size": PAGE, "page.token": token },
          },
        }),
      ),
    rowsOf: (answer) => answer.contacts,
  });
  return (
    <Stack gap="sm">
      <Title order={3}>{t("history.title")}</Title>
      <PagedRows found={found} none={t("history.none")} likely={{ rows: 3, height: 52 }}>
        {(row) => <Past key={row.contact_id} contact={row} />}
      </PagedRows>
    </Stack>
  );
}

function Past({ contact }: { contact: PastContact }) {
  const { t } = useTranslation("contacts");
  const labels = useLabels();
  const lead = session.me()?.roles.some((role) => role !== "agent") ?? false;
  const who = [...contact.agent_names, ...contact.queue_names].join(" · ");
  const id = encodeURIComponent(contact.contact_id);
  return (
    <div className={classes.past}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={560} className="tabular">
          {when(ms(contact.started_at_ms))}
        </Text>
        {contact.outcome ? (
          <Outcome exit={contact.outcome} />
        ) : (
          <Text size="sm" c="dimmed">
            {t(ms(contact.ended_at_ms) ? "callOutcome.never_queued" : "story.going")}
          </Text>
        )}
      </Group>
      <Text size="sm" c="dimmed">
        {[
          who,
          ms(contact.talk_ms) ? t("history.talk", { length: length(ms(contact.talk_ms)) }) : "",
          labels(contact.dispositions),
        ]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      {contact.notes.map((note) => (
        <Text key={note.at_ms} size="sm" style={{ whiteSpace: "pre-wrap" }}>
          “{note.text}” — {note.author_name}
        </Text>
      ))}
      <Group gap="md">
        {lead && (
          <Anchor component={Link} href={`/contacts/${id}`} size="sm">
            {t("history.story")}
          </Anchor>
        )}
        {contact.recording_id && (
          <Anchor
            component={Link}
            href={`/recordings/${encodeURIComponent(contact.recording_id)}`}
            size="sm"
          >
            {t("story.recording")}
          </Anchor>
        )}
      </Group>
    </div>
  );
}
