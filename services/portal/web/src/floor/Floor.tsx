/** The floor as a supervisor sees it: figures, queues, who waits, and everybody who works. */
import { Button } from "@mantine/core";
import { IconBell, IconBellOff } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { alarms, useTopics } from "@/api/boards";
import { useStore } from "@/api/store";
import { useShortcuts } from "@/app/shortcuts";
import { count } from "@/i18n/format";
import { Page } from "@/ui/Page";
import { AgentsBoard } from "./AgentsBoard";
import { EVERYBODY } from "./agents";
import { AlarmBanner } from "./AlarmBanner";
import { AlarmsPanel, type AlarmsPart } from "./AlarmsPanel";
import { isSeen } from "./alarms";
import { FloorTiles } from "./FloorTiles";
import { QueuesPanel } from "./QueuesPanel";
import { useAlarmSound } from "./useAlarmSound";
import { WaitingPanel } from "./WaitingPanel";
import { WhyPanel } from "./WhyPanel";
import classes from "./Floor.module.css";

export default function Floor() {
  const { t } = useTranslation(["floor", "common"]);
  useTopics("live", "agents", "waiting", "alarms");
  const [muted, setMuted] = useAlarmSound();
  const [filter, setFilter] = useState(EVERYBODY);
  const [caller, setCaller] = useState("");
  const [part, setPart] = useState<AlarmsPart | null>(null);
  const closeCaller = useCallback(() => setCaller(""), []);
  const showAgents = useCallback((queue: string, state = "") => {
    setFilter({ words: "", queue, state });
    bringInto("agents");
  }, []);
  const showState = useCallback((state: string) => showAgents("", state), [showAgents]);
  const group = t("common:nav.floor");
  useShortcuts([
    { keys: "w", label: t("keys.waiting"), group, run: () => bringInto("waiting") },
    { keys: "a", label: t("keys.alarms"), group, run: () => setPart("alarms") },
    { keys: "u", label: t("keys.mute"), group, run: () => setMuted(!muted) },
  ]);
  return (
    <Page
      title={t("common:nav.floor")}
      full
      actions={<AlarmsButton muted={muted} onClick={() => setPart("alarms")} />}
    >
      <AlarmBanner onAll={() => setPart("alarms")} />
      <FloorTiles
        onAgents={showState}
        onCaller={setCaller}
        onWaiting={() => bringInto("waiting")}
      />
      <div className={classes.columns}>
        <QueuesPanel onAgents={showAgents} />
        <WaitingPanel onOpen={setCaller} />
      </div>
      <AgentsBoard filter={filter} onFilter={setFilter} />
      <WhyPanel id={caller} onClose={closeCaller} />
      <AlarmsPanel part={part} onPart={setPart} muted={muted} onMuted={setMuted} />
    </Page>
  );
}

function AlarmsButton({ muted, onClick }: { muted: boolean; onClick: () => void }) {
  const { t } = useTranslation("floor");
  const all = useStore(alarms);
  const open = useMemo(() => [...(all?.values() ?? [])].filter((each) => !isSeen(each)), [all]);
  const Shown = muted ? IconBellOff : IconBell;
  return (
    <Button
      variant="default"
      leftSection={<Shown size={18} aria-hidden />}
      onClick={onClick}
      aria-haspopup="dialog"
      title={muted ? t("alarms.muted") : ""}
    >
      {open.length > 0 ? t("alarms.openCount", { open: count(open.length) }) : t("alarms.title")}
    </Button>
  );
}

/** Scrolls a part of the page into sight and puts the keyboard there. */
function bringInto(id: string): void {
  const part = document.getElementById(id);
  part?.scrollIntoView({ block: "start", behavior: "smooth" });
  part?.querySelector<HTMLElement>("[data-stop], input, button")?.focus({ preventScroll: true });
}
