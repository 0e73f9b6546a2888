/** The parts of a queue's row that change all the time; each is drawn again for itself alone. */
import { Badge } from "@mantine/core";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { live } from "@/api/boards";
import { usePart } from "@/api/store";
import { ms, type QueueView } from "@/api/types";
import { count, figure } from "@/i18n/format";
import { Since, useSecond } from "@/ui/Ticking";
import { Behind } from "./Behind";
import { NOW_SPAN_MS, today } from "./links";
import { QueueLine } from "./QueueLine";
import { useLines, useStaffing } from "./tallies";
import { figureOf, tone, waitTone } from "./tones";
import classes from "./Floor.module.css";

interface Of {
  id: string;
}

/** null: not told yet. */
function useWaiting(id: string): number | null {
  return useLines((lines) => lines && (lines.queues.get(id)?.waiting ?? 0));
}

function useReady(id: string): number | null {
  return useStaffing((staffing) => staffing && (staffing.queues.get(id)?.ready ?? 0));
}

export function WaitingIn({ id }: Of) {
  const waiting = useWaiting(id);
  return (
    <span className={`${classes.number} tabular`}>{waiting === null ? "–" : count(waiting)}</span>
  );
}

export function LineOf({ id }: Of) {
  return <QueueLine queueId={id} waiting={useWaiting(id) ?? 0} />;
}

export function LongestIn({ id }: Of) {
  const since = useLines((lines) => lines?.queues.get(id)?.oldestMs ?? 0);
  return since > 0 ? <Longest since={since} /> : "–";
}

function Longest({ since }: { since: number }) {
  const now = useSecond();
  return (
    <span className={classes.strong} data-tone={waitTone(now - since)}>
      <Since ms={since} />
    </span>
  );
}

export function StaffOf({ id, name, onOpen }: Of & { name: string; onOpen: (id: string) => void }) {
  const { t } = useTranslation("floor");
  const ready = useReady(id);
  const working = useStaffing((staffing) => staffing?.queues.get(id)?.working ?? 0);
  const wanted = (useWaiting(id) ?? 0) > 0;
  return (
    <button
      type="button"
      className={classes.plainButton}
      title={t("queues.staffOf", { ready: ready ?? 0, working, name })}
      onClick={() => onOpen(id)}
    >
      <span className="tabular" data-tone={ready === 0 && wanted ? "bad" : undefined}>
        {ready === null ? "–" : count(ready)}
      </span>
      <span className={classes.faint}> / {count(working)}</span>
    </button>
  );
}

export function LevelOf({ id }: Of) {
  const { t } = useTranslation("floor");
  const row = usePart(live, (all) => all?.rows.find((each) => each.queue_id === id));
  const now = figureOf(row, "now", "service_level");
  const level = useCallback(
    (from: (toMs: number) => number) => () => {
      const toMs = Date.now();
      return { fromMs: from(toMs), toMs, queue: id, kpi: "service_level", denominator: true };
    },
    [id],
  );
  return (
    <span className={classes.two}>
      <span className="tabular" data-tone={tone("service_level", now?.value)}>
        <Behind what={level((toMs) => toMs - NOW_SPAN_MS)} label={t("behind.now")}>
          {figure(now)}
        </Behind>
      </span>
      <span className={`${classes.faint} tabular`}>
        <Behind what={level(today)} label={t("behind.today")}>
          {figure(figureOf(row, "today", "service_level"))}
        </Behind>
      </span>
    </span>
  );
}

/** Closed, without agents, or how long who comes now would wait. */
export function Condition({ queue }: { queue: QueueView }) {
  const { t } = useTranslation("floor");
  const nobody = useReady(queue.queue_id) === 0;
  if (queue.emergency)
    return (
      <Badge color="red" size="sm" title={queue.emergency_message}>
        {t("queues.emergency")}
      </Badge>
    );
  if (!queue.open)
    return (
      <Badge color="gray" size="sm">
        {t("queues.closed")}
      </Badge>
    );
  const half = ms(queue.next_wait?.p50_s);
  const nine = ms(queue.next_wait?.p90_s);
  if (!queue.next_wait || queue.next_wait.basis === "none" || nine === 0)
    return <>{t(nobody ? "queues.nobodyReady" : "queues.noForecast")}</>;
  const minutes = (seconds: number) => count(seconds / 60, 1);
  return (
    <span title={t("queues.nextWaitHelp")}>
      {half === nine || half === 0
        ? t("queues.nextWaitOne", { minutes: minutes(nine) })
        : t("queues.nextWait", { half: minutes(half), nine: minutes(nine) })}
    </span>
  );
}
