/** The parts of a queue's row that change all the time; each is drawn again for itself alone. */
import { Badge } from "@mantine/core";
import { useCallback, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { doors, live } from "@/api/boards";
import { usePart } from "@/api/store";
import { ms, type QueueView } from "@/api/types";
import { count, figure } from "@/i18n/format";
import { Since, useSecond } from "@/ui/Ticking";
import { Behind } from "./Behind";
import { NOW_SPAN_MS, today } from "./links";
import { QueueLine } from "./QueueLine";
import { useLines, useStaffing } from "./tallies";
import { figureOf, levelTone, waitTone } from "./tones";
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
    <span className={`${classes.number} tabular`}>
      {waiting === null ? "–" : <BehindLine id={id}>{count(waiting)}</BehindLine>}
    </span>
  );
}

/** Nobody waits for longer; an older stay that nobody ended is a fault, not a caller. */
const LONGEST_LINE_MS = 86_400_000;

/** Opens the contacts that wait in a queue. */
function BehindLine({ id, children }: Of & { children: ReactNode }) {
  const { t } = useTranslation("floor");
  const what = useCallback(() => {
    const toMs = Date.now();
    return { fromMs: toMs - LONGEST_LINE_MS, toMs, queue: id, exits: ["waiting"] };
  }, [id]);
  return (
    <Behind what={what} label={t("behind.line")}>
      {children}
    </Behind>
  );
}

export function LineOf({ id }: Of) {
  return <QueueLine queueId={id} waiting={useWaiting(id) ?? 0} />;
}

export function LongestIn({ id }: Of) {
  const since = useLines((lines) => lines?.queues.get(id)?.oldestMs ?? 0);
  if (since <= 0) return "–";
  return (
    <BehindLine id={id}>
      <Longest since={since} />
    </BehindLine>
  );
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

/** `good`: the service level that counts as good there, in percent. */
export function LevelOf({ id, good }: Of & { good: number }) {
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
      <span className="tabular" data-tone={levelTone(now?.value, good)}>
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
  // The feed tells it at once, the list of queues a little later.
  const { emergency, open } = usePart(doors, (all) => all?.get(queue.queue_id)) ?? queue;
  if (emergency)
    return (
      <Badge color="red" size="sm" title={queue.emergency_message}>
        {t("queues.emergency")}
      </Badge>
    );
  if (!open)
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
