/** The timeline of past contacts, each on one line that opens its details. */
import { Button, Group, Paper, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import {
  IconMessage,
  IconPhoneIncoming,
  IconPhoneOutgoing,
  IconPhoneX,
  IconWaveSine,
} from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork, PastContact } from "@/api/types";
import { ms } from "@/api/types";
import { day, hourMinute, length } from "@/i18n/format";
import { ErrorNote, Rows } from "@/ui/notes";
import { useHistory } from "./useHistory";
import { useLabels } from "./useLabels";
import classes from "../Desk.module.css";

const PastContactPanel = lazy(() => import("./PastContactPanel"));

/** Contacts that are shown before more are asked for. */
const FIRST = 8;

export function History({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const { contacts, problem, retry } = useHistory(work);
  const [opened, open] = useState<PastContact | null>(null);
  const [all, showAll] = useState(false);
  const past = contacts?.filter((each) => each.contact_id !== work.reservation?.contact_id);
  return (
    <Paper className={`panel ${classes.card}`} component="section" aria-labelledby="history-title">
      <Title order={2} id="history-title" fz="md" mb="xs">
        {t("history.title")}
      </Title>
      {problem && !past ? (
        <ErrorNote problem={problem} onRetry={retry} />
      ) : !past ? (
        <Rows rows={3} height={44} />
      ) : past.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("history.none")}
        </Text>
      ) : (
        <Stack gap={2} mx={-10}>
          {(all ? past : past.slice(0, FIRST)).map((contact) => (
            <UnstyledButton
              key={contact.contact_id}
              className={classes.past}
              onClick={() => open(contact)}
            >
              <Line contact={contact} />
            </UnstyledButton>
          ))}
          {past.length > FIRST && !all && (
            <Button variant="subtle" onClick={() => showAll(true)}>
              {t("history.more", { count: past.length - FIRST })}
            </Button>
          )}
        </Stack>
      )}
      <Suspense fallback={null}>
        {opened && <PastContactPanel contact={opened} onClose={() => open(null)} />}
      </Suspense>
    </Paper>
  );
}

function Line({ contact }: { contact: PastContact }) {
  const { t } = useTranslation(["desk", "common"]);
  const lost = contact.outcome !== "answered" && contact.outcome !== "";
  const Shown =
    contact.channel !== "voice"
      ? IconMessage
      : lost
        ? IconPhoneX
        : contact.direction === "outbound"
          ? IconPhoneOutgoing
          : IconPhoneIncoming;
  const labels = useLabels();
  const at = ms(contact.started_at_ms);
  const about = labels(contact.dispositions) || contact.queue_names.at(-1) || "";
  return (
    <Group gap="sm" wrap="nowrap">
      <Shown size={18} color={lost ? "var(--state-lost)" : "var(--quiet)"} aria-hidden />
      <div className={classes.pastText}>
        <Text size="sm" fw={560} truncate>
          {about || t("history.contact")}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {[
            day(at) === day(Date.now())
              ? `${t("common:today")} ${hourMinute(at)}`
              : `${day(at)} ${hourMinute(at)}`,
            contact.agent_names.at(-1),
          ]
            .filter(Boolean)
            .join(" · ")}
        </Text>
      </div>
      {contact.recording_id && (
        <IconWaveSine size={16} color="var(--quiet)" aria-label={t("history.recorded")} />
      )}
      {contact.notes.length > 0 && (
        <IconMessage size={16} color="var(--quiet)" aria-label={t("history.hasNotes")} />
      )}
      <Text size="xs" c="dimmed" className="tabular">
        {ms(contact.talk_ms) > 0 ? length(ms(contact.talk_ms)) : t("history.notAnswered")}
      </Text>
    </Group>
  );
}
