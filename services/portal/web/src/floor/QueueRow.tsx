/** One queue; drawn again only when something about it changes. */
import { ActionIcon, Badge, Menu, Table } from "@mantine/core";
import {
  IconDoor,
  IconDoorOff,
  IconDotsVertical,
  IconHistory,
  IconUsers,
} from "@tabler/icons-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { ms, type LiveRow, type QueueView } from "@/api/types";
import { useGo } from "@/app/go";
import { count, figure, startOfDay } from "@/i18n/format";
import { Since, useSecond } from "@/ui/Ticking";
import { Behind } from "./Behind";
import { contactsBehind, NOW_SPAN_MS } from "./links";
import { QueueLine } from "./QueueLine";
import { figureOf, tone, waitTone } from "./tones";
import classes from "./Floor.module.css";

interface Props {
  queue: QueueView;
  figures: LiveRow | undefined;
  /** null: not told yet. */
  waiting: number | null;
  oldestMs: number;
  ready: number | null;
  working: number;
  onAgents: (queueId: string, state: string) => void;
  onEmergency: (queue: QueueView) => void;
}

export const QueueRow = memo(function QueueRow(props: Props) {
  const { queue, figures, waiting, ready, working } = props;
  const { t } = useTranslation("floor");
  const go = useGo();
  const id = queue.queue_id;
  const now = figureOf(figures, "now", "service_level");
  const today = figureOf(figures, "today", "service_level");
  const toMs = () => Date.now();
  const level = (fromMs: () => number) => () => ({
    fromMs: fromMs(),
    toMs: toMs(),
    queue: id,
    kpi: "service_level",
    denominator: true,
  });
  const recent = () => toMs() - NOW_SPAN_MS;
  const morning = () => startOfDay(toMs());
  return (
    <Table.Tr>
      <Table.Td className={classes.queueName}>
        <span className={classes.strong}>{queue.name || id}</span>
        <span className={classes.under}>
          <Condition queue={queue} ready={ready} />
        </span>
      </Table.Td>
      <Table.Td ta="right">
        <span className={`${classes.number} tabular`}>
          {waiting === null ? "–" : count(waiting)}
        </span>
      </Table.Td>
      <Table.Td visibleFrom="sm" py={4}>
        <QueueLine queueId={id} waiting={waiting ?? 0} />
      </Table.Td>
      <Table.Td ta="right">
        {props.oldestMs > 0 ? <Longest since={props.oldestMs} /> : "–"}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xs">
        <button
          type="button"
          className={classes.plainButton}
          aria-label={t("queues.staffOf", { ready: ready ?? 0, working, name: queue.name })}
          onClick={() => props.onAgents(id, "")}
        >
          <span
            className="tabular"
            data-tone={ready === 0 && (waiting ?? 0) > 0 ? "bad" : undefined}
          >
            {ready === null ? "–" : count(ready)}
          </span>
          <span className={classes.faint}> / {count(working)}</span>
        </button>
      </Table.Td>
      <Table.Td ta="right">
        <span className={classes.two}>
          <span className="tabular" data-tone={tone("service_level", now?.value)}>
            <Behind what={level(recent)} label={t("behind.now")}>
              {figure(now)}
            </Behind>
          </span>
          <span className={`${classes.faint} tabular`}>
            <Behind what={level(morning)} label={t("behind.today")}>
              {figure(today)}
            </Behind>
          </span>
        </span>
      </Table.Td>
      <Table.Td ta="right" pl={0}>
        <Menu position="bottom-end" shadow="md" width={230}>
          <Menu.Target>
            <ActionIcon aria-label={t("queues.actionsOf", { name: queue.name })}>
              <IconDotsVertical size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconUsers size={16} aria-hidden />}
              onClick={() => props.onAgents(id, "")}
            >
              {t("queues.showAgents")}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconHistory size={16} aria-hidden />}
              onClick={() => go(contactsBehind({ fromMs: morning(), toMs: toMs(), queue: id }))}
            >
              {t("queues.showContacts")}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              {...(!queue.emergency && { color: "red" })}
              leftSection={
                queue.emergency ? (
                  <IconDoor size={16} aria-hidden />
                ) : (
                  <IconDoorOff size={16} aria-hidden />
                )
              }
              onClick={() => props.onEmergency(queue)}
            >
              {t(queue.emergency ? "emergency.openItem" : "emergency.closeItem")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
});

/** Closed, without agents, or how long who comes now would wait. */
function Condition({ queue, ready }: { queue: QueueView; ready: number | null }) {
  const { t } = useTranslation("floor");
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
  if (queue.next_wait?.basis === "none" || !queue.next_wait || nine === 0)
    return <>{ready === 0 ? t("queues.nobodyReady") : t("queues.noForecast")}</>;
  const minutes = (seconds: number) => count(seconds / 60, 1);
  return (
    <span title={t("queues.nextWaitHelp")}>
      {half === nine || half === 0
        ? t("queues.nextWaitOne", { minutes: minutes(nine) })
        : t("queues.nextWait", { half: minutes(half), nine: minutes(nine) })}
    </span>
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
