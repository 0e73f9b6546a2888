/** Alarms as they stand, and the thresholds that raise them. */
import { SegmentedControl, Stack, Switch } from "@mantine/core";
import { IconBellOff } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { alarms } from "@/api/boards";
import { useStore } from "@/api/store";
import { Empty, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { askToLose } from "@/ui/unsaved";
import { AlarmCard } from "./AlarmCard";
import { byUrgency } from "./alarms";
import { PastAlarms } from "./PastAlarms";
import { ThresholdForm } from "./ThresholdForm";
import { ThresholdList } from "./ThresholdList";
import { draftOf, newDraft, type Draft, type Threshold } from "./thresholds";

export type AlarmsPart = "alarms" | "past" | "thresholds";

interface Props {
  /** null: closed. */
  part: AlarmsPart | null;
  onPart: (part: AlarmsPart | null) => void;
  muted: boolean;
  onMuted: (muted: boolean) => void;
}

export function AlarmsPanel({ part, onPart, muted, onMuted }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const [editing, setEditing] = useState<Draft | null>(null);
  const [dirty, setDirty] = useState(false);
  const all = useStore(alarms);
  const shown = useMemo(() => all && byUrgency(all.values()), [all]);
  const leave = (next: AlarmsPart | null) => {
    setEditing(null);
    setDirty(false);
    onPart(next);
  };
  const choose = async (next: AlarmsPart) => {
    if (!dirty || (await askToLose())) leave(next);
  };
  const edit = (threshold: Threshold | null) =>
    setEditing(threshold ? draftOf(threshold) : newDraft());
  return (
    <SidePanel
      opened={part !== null}
      onClose={() => leave(null)}
      title={t("alarms.title")}
      size={560}
      dirty={dirty}
    >
      <SegmentedControl
        fullWidth
        aria-label={t("alarms.title")}
        value={part ?? "alarms"}
        onChange={(value) => void choose(value as AlarmsPart)}
        data={[
          { value: "alarms", label: t("alarms.now") },
          { value: "past", label: t("alarms.past") },
          { value: "thresholds", label: t("thresholds.title") },
        ]}
      />
      {part === "past" && <PastAlarms />}
      {part === "thresholds" &&
        (editing ? (
          <ThresholdForm
            key={editing.id}
            first={editing}
            onDirty={setDirty}
            onDone={() => {
              setEditing(null);
              setDirty(false);
            }}
          />
        ) : (
          <ThresholdList onEdit={edit} />
        ))}
      {part === "alarms" && (
        <Stack gap="sm">
          {!shown ? (
            <Rows rows={3} height={72} />
          ) : shown.length === 0 ? (
            <Empty icon={IconBellOff} title={t("alarms.none")}>
              {t("alarms.noneHelp")}
            </Empty>
          ) : (
            shown.map((alarm) => <AlarmCard key={alarm.alarm_id} alarm={alarm} />)
          )}
          <Switch
            mt="sm"
            label={t("alarms.sound")}
            description={t("alarms.soundHelp")}
            checked={!muted}
            onChange={(event) => onMuted(!event.currentTarget.checked)}
          />
        </Stack>
      )}
    </SidePanel>
  );
}
