/** Who waits, the longest first. */
import { Badge, Group, Text, Title } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconMoodSmile } from "@tabler/icons-react";
import { memo, useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { waiting, type WaitingRow } from "@/api/boards";
import { usePart, useStore } from "@/api/store";
import { count } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { Empty, Rows } from "@/ui/notes";
import { Since, useSecond } from "@/ui/Ticking";
import { callerOf, waitsSince } from "./counts";
import { waitTone } from "./tones";
import { useQueueName } from "./useQueues";
import { VirtualTable } from "./VirtualTable";
import classes from "./WaitingPanel.module.css";

const COLUMNS = "minmax(120px,1.5fr) minmax(80px,1fr) 64px 60px";

interface Props {
  /** Shows why somebody still waits. */
  onOpen: (entryId: string) => void;
}

export function WaitingPanel({ onOpen }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const line = useStore(waiting);
  const queueName = useQueueName();
  const ids = useMemo(
    () =>
      line &&
      [...line.rows.values()]
        .sort((a, b) => waitsSince(a) - waitsSince(b) || (a.entry_id < b.entry_id ? -1 : 1))
        .map((row) => row.entry_id),
    [line],
  );
  const open = useCallback((id: string) => onOpen(id), [onOpen]);
  const beyond = line ? line.total - line.rows.size : 0;
  return (
    <section className={`panel ${classes.panel}`} aria-labelledby="waiting-title" id="waiting">
      <Group p="md" pb="sm" justify="space-between" className={classes.title}>
        <Title order={2} id="waiting-title">
          {t("waiting.title")}
        </Title>
        {line && line.total > 0 && (
          <Text size="sm" c="dimmed" className="tabular">
            {count(line.total)}
          </Text>
        )}
      </Group>
      {!ids ? (
        <div style={{ padding: "0 16px 16px" }}>
          <Rows rows={5} height={34} />
        </div>
      ) : ids.length === 0 ? (
        <Empty icon={IconMoodSmile} title={t("waiting.none")}>
          {t("waiting.noneHelp")}
        </Empty>
      ) : (
        <VirtualTable
          label={t("waiting.title")}
          columns={COLUMNS}
          ids={ids}
          rowHeight={52}
          narrowHeight={60}
          maxHeight="364px"
          head={
            <>
              <span role="columnheader">{t("waiting.caller")}</span>
              <span role="columnheader">{t("waiting.stage")}</span>
              <span role="columnheader" className={classes.right}>
                {t("waiting.wait")}
              </span>
              <span role="columnheader">
                <span className={classes.unseen}>{t("waiting.why")}</span>
              </span>
            </>
          }
          row={(id) => <Caller id={id} onOpen={open} queueName={queueName} />}
        />
      )}
      {beyond > 0 && (
        <Text size="sm" c="dimmed" p="sm">
          {t("waiting.beyond", { count: beyond })}
        </Text>
      )}
    </section>
  );
}

interface CallerProps {
  id: string;
  onOpen: (id: string) => void;
  queueName: (id: string) => string;
}

const Caller = memo(function Caller(props: CallerProps) {
  const row = usePart(waiting, (line) => line?.rows.get(props.id));
  return row ? <Cells {...props} row={row} /> : null;
});

function Cells({ id, onOpen, queueName, row }: CallerProps & { row: WaitingRow }) {
  const { t } = useTranslation("floor");
  const phone = usePhone();
  const { name, number } = callerOf(row.contact);
  const who = name || phone(number) || t("waiting.withheld");
  return (
    <>
      <span role="cell" className={classes.who}>
        <span className={`${classes.name} tabular`} title={name ? phone(number) : ""}>
          {who}
        </span>
        <span className={classes.queue}>{queueName(row.contact.queue_id)}</span>
      </span>
      <span role="cell" className={classes.stage} data-stage={row.stage}>
        <Stage stage={row.stage} />
        <Priority value={Number(row.priority)} />
      </span>
      <span role="cell" className={classes.right}>
        <Wait since={waitsSince(row)} />
      </span>
      <span role="cell" className={classes.right}>
        <button
          type="button"
          className={classes.why}
          data-stop="why"
          aria-haspopup="dialog"
          aria-label={t("waiting.whyOf", { who })}
          onClick={() => onOpen(id)}
        >
          {t("waiting.whyShort")}
        </button>
      </span>
    </>
  );
}

const STAGES = ["waiting", "detached", "reserved", "ringing", "connecting"] as const;

export function Stage({ stage }: { stage: string }) {
  const { t } = useTranslation("floor");
  const known = STAGES.find((each) => each === stage);
  const color = stage === "waiting" ? "gray" : stage === "detached" ? "red" : "bell";
  return <Badge color={color}>{known ? t(`stage.${known}`) : stage}</Badge>;
}

/** Nothing where the priority is the usual one. */
function Priority({ value }: { value: number }) {
  const { t } = useTranslation("floor");
  if (value === 0) return null;
  const Shown = value > 0 ? IconArrowUp : IconArrowDown;
  return (
    <span className={classes.priority} title={t("priority.is", { value })}>
      <Shown size={13} aria-hidden />
      <span className={classes.unseen}>{t("priority.is", { value })}</span>
      <span aria-hidden>{Math.abs(value)}</span>
    </span>
  );
}

function Wait({ since }: { since: number }) {
  const now = useSecond();
  return (
    <span className={classes.wait} data-tone={waitTone(now - since)}>
      <Since ms={since} />
    </span>
  );
}
