/** Why this recording can be trusted: its hashes, its consent, what is missing, and who heard it. */
import { Accordion, Code, Group, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ms, type Schema } from "@/api/types";
import { clock, count, length } from "@/i18n/format";
import { Facts } from "./Facts";
import { Listenings } from "./Listenings";
import { useGapReason } from "./marks";
import type { RecordingView } from "./strips";
import { Verify } from "./Verify";

const CONSENTS = ["announced", "agreed", "policy"] as const;
type Consent = (typeof CONSENTS)[number];
const ROLES = ["caller", "agent", "external"] as const;
type Role = (typeof ROLES)[number];

export function Evidence({ recording }: { recording: RecordingView }) {
  const { t } = useTranslation("recordings");
  const consent = CONSENTS.includes(recording.consent as Consent)
    ? t(`consent.${recording.consent as Consent}`)
    : recording.consent || t("consent.none");
  return (
    <Stack gap="xl">
      <Verify recording={recording} />
      <Part title={t("evidence.kept")}>
        <Facts
          facts={[
            { name: t("evidence.consent"), value: consent },
            {
              name: t("evidence.size"),
              value: t("evidence.segmentsOf", {
                count: recording.segments,
                size: count(Number(recording.bytes) / 1024),
              }),
            },
          ]}
        />
      </Part>
      <Part title={t("evidence.missing")}>
        <Missing recording={recording} />
      </Part>
      <Listenings recordingId={recording.recording_id} />
      <Part title={t("evidence.tracks")}>
        <Accordion variant="separated" chevronPosition="left">
          {recording.tracks.map((track) => (
            <TrackRow key={track.track_id} track={track} />
          ))}
        </Accordion>
      </Part>
    </Stack>
  );
}

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="sm" component="section">
      <Title order={2} fz="1rem">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Missing({ recording }: { recording: RecordingView }) {
  const { t } = useTranslation("recordings");
  const reason = useGapReason();
  const open = t("evidence.toEnd");
  const rows = [
    ...recording.gaps.map((gap) => ({ ...gap, what: t("mark.gap"), why: reason(gap.reason) })),
    ...recording.pauses.map((pause) => ({ ...pause, what: t("mark.pause"), why: pause.reason })),
  ].sort((one, other) => ms(one.from_ms) - ms(other.from_ms));
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("evidence.nothingMissing")}
      </Text>
    );
  return (
    <Table verticalSpacing={7} horizontalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("evidence.what")}</Table.Th>
          <Table.Th>{t("evidence.from")}</Table.Th>
          <Table.Th>{t("evidence.length")}</Table.Th>
          <Table.Th>{t("evidence.why")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row, place) => (
          <Table.Tr key={place}>
            <Table.Td>{row.what}</Table.Td>
            <Table.Td className="tabular">{clock(ms(row.from_ms))}</Table.Td>
            <Table.Td className="tabular">
              {ms(row.to_ms) ? length(ms(row.to_ms) - ms(row.from_ms)) : open}
            </Table.Td>
            <Table.Td>{row.why || "–"}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function TrackRow({ track }: { track: Schema<"recording.v1.Track"> }) {
  const { t } = useTranslation("recordings");
  const role = ROLES.includes(track.role as Role) ? t(`track.${track.role as Role}`) : track.role;
  const lost = track.segment_sha256.filter((hash) => !hash).length;
  return (
    <Accordion.Item value={track.track_id}>
      <Accordion.Control>
        <Group gap="sm">
          <Text size="sm" fw={560}>
            {role}
          </Text>
          <Text size="sm" c="dimmed" className="tabular">
            {clock(ms(track.started_at_ms))} – {clock(ms(track.ended_at_ms))}
          </Text>
          <Text size="sm" c="dimmed">
            {t("evidence.segments", { count: track.segment_sha256.length })}
          </Text>
          {lost > 0 && (
            <Text size="sm" c="var(--state-lost)" fw={560}>
              {t("evidence.lost", { count: lost })}
            </Text>
          )}
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap={4} mah={280} style={{ overflowY: "auto" }} tabIndex={0}>
          {track.segment_sha256.map((hash, place) => (
            <Group key={place} gap="sm" wrap="nowrap">
              <Text size="xs" c="dimmed" w={36} ta="right" className="tabular">
                {place + 1}
              </Text>
              <Code style={{ overflowWrap: "anywhere" }}>{hash || t("evidence.isLost")}</Code>
            </Group>
          ))}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}
