/** A recording to look at and to hear. Nothing is fetched to hear before it is played. */
import { Box, Button, Collapse, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp, IconEarOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { asProblem } from "@/api/problem";
import { ms } from "@/api/types";
import { length } from "@/i18n/format";
import { Empty, ErrorNote } from "@/ui/notes";
import { inWords } from "@/ui/words";
import { Controls } from "./Controls";
import { hasOwnSpace, pressedKey } from "./keys";
import { MarkList } from "./MarkList";
import { PlayerShortcuts } from "./PlayerShortcuts";
import { Strips } from "./Strips";
import { marksOf, type RecordingView } from "./strips";
import { useSound } from "./useSound";
import { Wave } from "./Wave";
import { bytesOf, marks as axisMarks } from "./waveform";
import classes from "./Player.module.css";

const COLUMNS = 1_000;

interface Props {
  recordingId: string;
  /** True: its keys work in the whole page, not only within the player. */
  shortcuts?: boolean;
}

/** The query for one recording, which the player and the recording's page share. */
export function useRecording(recordingId: string) {
  return useQuery({
    queryKey: ["recording", recordingId],
    queryFn: () =>
      told(
        api.GET("/v1/recordings/{recording_id}", {
          params: { path: { recording_id: recordingId } },
        }),
      ),
  });
}

export function RecordingPlayer({ recordingId, shortcuts = false }: Props) {
  const { t } = useTranslation(["recordings", "common"]);
  const recording = useRecording(recordingId);
  const waveform = useQuery({
    queryKey: ["waveform", recordingId],
    queryFn: () =>
      told(
        api.GET("/v1/recordings/{recording_id}/waveform", {
          params: { path: { recording_id: recordingId }, query: { columns: COLUMNS } },
        }),
      ),
  });
  const problem = recording.error ?? waveform.error;
  if (problem && asProblem(problem).code === "listening-not-allowed")
    return (
      <Empty icon={IconEarOff} title={t("player.notAllowed")}>
        {inWords(problem)}
      </Empty>
    );
  if (problem)
    return (
      <ErrorNote
        problem={problem}
        onRetry={() => {
          void recording.refetch();
          void waveform.refetch();
        }}
      />
    );
  if (!recording.data || !waveform.data)
    return (
      <Stack gap="sm" role="status" aria-label={t("common:table.loading")}>
        <Skeleton height={132} radius="md" />
        <Skeleton height={36} width={280} radius="md" />
      </Stack>
    );
  return (
    <Board
      key={recordingId}
      recording={recording.data}
      left={waveform.data.left}
      right={waveform.data.right}
      durationMs={ms(waveform.data.duration_ms) || ms(recording.data.duration_ms)}
      shortcuts={shortcuts}
    />
  );
}

interface BoardProps {
  recording: RecordingView;
  left: string;
  right: string;
  durationMs: number;
  shortcuts: boolean;
}

function Board({ recording, left, right, durationMs, shortcuts }: BoardProps) {
  const { t } = useTranslation("recordings");
  const version = recording.state === "recording" ? String(durationMs) : recording.sha256;
  const sound = useSound(recording.recording_id, durationMs, version);
  const [lefts, rights] = useMemo(() => [bytesOf(left), bytesOf(right)], [left, right]);
  const marks = useMemo(() => marksOf(recording, durationMs), [recording, durationMs]);
  const down = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof HTMLInputElement) return;
    if (event.key === " " && hasOwnSpace(event.target)) return;
    if (pressedKey(event.key, sound, durationMs)) event.preventDefault();
  };
  const marksShown = axisMarks(durationMs, 8);
  return (
    <Stack gap="md" onKeyDown={down} role="group" aria-label={t("player.label")}>
      {shortcuts && <PlayerShortcuts sound={sound} />}
      <div className={classes.board}>
        <div className={classes.lanes}>
          <Lane color="var(--wave-caller)" label={t("player.caller")} />
          <Lane color="var(--wave-other)" label={t("player.others")} />
        </div>
        <Wave left={lefts} right={rights} durationMs={durationMs} sound={sound} />
        <span />
        <div className={`${classes.axis} tabular`} aria-hidden>
          {marksShown.map((atMs) => (
            <span key={atMs} style={{ left: `${durationMs ? (atMs / durationMs) * 100 : 0}%` }}>
              {length(atMs)}
            </span>
          ))}
        </div>
        <Strips marks={marks} durationMs={durationMs} sound={sound} />
      </div>
      <Controls sound={sound} durationMs={durationMs} />
      {sound.problem ? <ErrorNote problem={sound.problem} onRetry={sound.retry} /> : null}
      {recording.state === "incomplete" && (
        <Text size="sm" c="dimmed">
          {t("player.incomplete")}
        </Text>
      )}
      {recording.state === "recording" && (
        <Text size="sm" c="dimmed">
          {t("player.going")}
        </Text>
      )}
      {marks.length > 0 && (
        <Marks count={marks.length} list={<MarkList marks={marks} sound={sound} />} />
      )}
    </Stack>
  );
}

function Lane({ color, label }: { color: string; label: string }) {
  return (
    <div className={classes.lane}>
      <span className={classes.dot} style={{ background: color }} />
      <span className={classes.word}>{label}</span>
    </div>
  );
}

function Marks({ count: marks, list }: { count: number; list: ReactNode }) {
  const { t } = useTranslation("recordings");
  const [open, { toggle }] = useDisclosure(marks <= 12);
  return (
    <Box>
      <Button
        variant="subtle"
        size="compact-sm"
        onClick={toggle}
        aria-expanded={open}
        rightSection={open ? <IconChevronUp size={16} /> : <IconChevronDown size={16} />}
      >
        {t("player.marksCount", { count: marks })}
      </Button>
      <Collapse expanded={open}>{list}</Collapse>
    </Box>
  );
}
