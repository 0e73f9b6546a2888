/** One past contact with its notes and its recording. */
import { Skeleton, Stack, Title } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { PastContact } from "@/api/types";
import { ms } from "@/api/types";
import { ErrorBoundary } from "@/app/ErrorBoundary";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { SidePanel } from "@/ui/SidePanel";
import { NoteList } from "./NoteList";
import { outcomeWords } from "./outcome";
import { useLabels } from "./useLabels";
import classes from "../Desk.module.css";

const RecordingPlayer = lazy(() =>
  import("@/recordings/Player").then((player) => ({ default: player.RecordingPlayer })),
);

interface Props {
  contact: PastContact;
  onClose: () => void;
}

export default function PastContactPanel({ contact, onClose }: Props) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const labels = useLabels();
  const facts = [
    { name: t("history.began"), value: when(ms(contact.started_at_ms)) },
    { name: t("history.outcome"), value: outcomeWords(contact.outcome) },
    { name: t("history.number"), value: written(contact.number) },
    { name: t("history.dialled"), value: written(contact.to) },
    { name: t("history.queues"), value: contact.queue_names.join(", ") },
    { name: t("history.agents"), value: contact.agent_names.join(", ") },
    { name: t("history.about"), value: labels(contact.dispositions) },
    { name: t("history.waited"), value: length(ms(contact.wait_ms)) },
    { name: t("history.talked"), value: length(ms(contact.talk_ms)) },
  ].filter((each) => each.value);
  return (
    <SidePanel
      opened
      onClose={onClose}
      title={t("history.details", { when: when(ms(contact.started_at_ms)) })}
      size={contact.recording_id ? 720 : 480}
    >
      <dl className={classes.reasons}>
        {facts.map(({ name, value }) => (
          <div key={name} className={classes.reason}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {contact.notes.length > 0 && (
        <Stack gap="xs">
          <Title order={3}>{t("notes.title")}</Title>
          <NoteList notes={contact.notes} />
        </Stack>
      )}
      {contact.recording_id && (
        <Stack gap="xs">
          <Title order={3}>{t("history.recording")}</Title>
          <ErrorBoundary>
            <Suspense fallback={<Skeleton height={220} />}>
              <RecordingPlayer recordingId={contact.recording_id} />
            </Suspense>
          </ErrorBoundary>
        </Stack>
      )}
    </SidePanel>
  );
}
