/** How far the test call has come, as the feed tells it. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconCircle, IconCircleCheck, IconConfetti, IconLoader } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { agents, desk, useTopics, waiting } from "@/api/boards";
import { Link } from "@/app/go";
import { follow, giveUp, PHASES, PLACED, type Row } from "./progress";
import classes from "./Tour.module.css";

interface Props {
  call: string;
  /** The caller's sentence, or `tone`. */
  speaks: string;
  /** True: it rings the person who looks on. */
  agent: boolean;
  /** True: the person may see everybody's work. */
  lead: boolean;
  onAgain: () => void;
}

/** A contact between two places is nowhere for a moment. */
const GONE_MS = 8_000;

export function CallProgress({ call, speaks, agent, lead, onAgain }: Props) {
  const { t } = useTranslation("tour");
  const [now, setNow] = useState(PLACED);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const rows: Row[] = [
        ...(desk.get()?.work ?? []).flatMap((work) => (work.reservation ? [work.reservation] : [])),
        ...[...(agents.get()?.values() ?? [])].flatMap((one) => one.work),
      ];
      const waits = [...(waiting.get()?.rows.values() ?? [])].some(
        (row) => row.contact.contact_id === call,
      );
      const here = waits || rows.some((row) => row.contact_id === call);
      setNow((before) => follow(before, call, rows, waits));
      clearTimeout(timer);
      if (!here) timer = setTimeout(() => setNow(giveUp), GONE_MS);
    };
    const stops = [desk, agents, waiting].map((board) => board.subscribe(look));
    look();
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    };
  }, [call]);
  const words = agent ? "test.phase" : "test.phaseLead";
  const reached = PHASES.indexOf(now.phase);
  const over = now.phase === "over";
  return (
    <Stack gap="sm">
      {lead && <Everybody />}
      <ol className={classes.phases} aria-live="polite">
        {PHASES.map((phase, place) => {
          const state = place < reached || over ? "done" : place === reached ? "now" : "later";
          const Shown =
            over && phase === "over"
              ? IconConfetti
              : state === "done"
                ? IconCircleCheck
                : state === "now"
                  ? IconLoader
                  : IconCircle;
          return (
            <li
              key={phase}
              className={classes.phase}
              data-state={state}
              {...(state === "now" && { "aria-current": "step" as const })}
            >
              <Shown size={18} aria-hidden />
              {t(`${words}.${phase}`)}
            </li>
          );
        })}
      </ol>
      {now.phase === "ringing" && agent && !now.lost && <Text size="sm">{t("test.answer")}</Text>}
      {!over && !now.lost && (
        <Text size="sm" c="dimmed">
          {speaks === "tone" ? t("test.tone") : t("test.says", { words: speaks })}
        </Text>
      )}
      {now.lost && (
        <Text size="sm" role="alert">
          {t("test.gone")}
        </Text>
      )}
      {over && <Text size="sm">{t("test.overText")}</Text>}
      {(over || now.lost) && (
        <Group gap="xs">
          {lead && (
            <Button component={Link} href={`/contacts/${call}`} size="compact-sm" variant="light">
              {t("test.overStory")}
            </Button>
          )}
          <Button size="compact-sm" variant="default" onClick={onAgain}>
            {t("test.again")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** Follows the floor, which only leads may see. */
function Everybody() {
  useTopics("agents", "waiting");
  return null;
}
