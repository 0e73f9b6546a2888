/** The figures of the whole organisation. */
import { SimpleGrid } from "@mantine/core";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { agents, live, waiting } from "@/api/boards";
import { useStore } from "@/api/store";
import { count, figure, length, startOfDay } from "@/i18n/format";
import { Tile } from "@/ui/Tile";
import { useSecond } from "@/ui/Ticking";
import { Behind } from "./Behind";
import { byState, isWorking, longest, waitsSince } from "./counts";
import { NOW_SPAN_MS } from "./links";
import { figureOf, tone, waitTone, type Measured } from "./tones";

interface Props {
  /** Shows agents of a state on the board. */
  onAgents: (state: string) => void;
  /** Shows why the one who waits longest still does. */
  onCaller: (entryId: string) => void;
  /** Goes to the list of those who wait. */
  onWaiting: () => void;
}

export function FloorTiles({ onAgents, onCaller, onWaiting }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const line = useStore(waiting);
  const everybody = useStore(agents);
  const states = useMemo(() => byState(everybody?.values() ?? []), [everybody]);
  const oldest = useMemo(() => longest(line?.rows.values() ?? []), [line]);
  const ready = states.get("ready") ?? 0;
  let working = 0;
  for (const [state, found] of states) if (isWorking(state)) working += found;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, xl: 6 }} spacing="md">
      <FigureTile kpi="service_level" label={t("tiles.service_level")} />
      <Tile
        label={t("tiles.waiting")}
        value={line ? count(line.total) : "–"}
        tone={line && line.total > 0 && everybody && ready === 0 ? "bad" : "plain"}
        note={<Offered />}
        onOpen={onWaiting}
        openLabel={t("tiles.waitingOpen")}
      />
      {oldest ? (
        <LongestTile since={waitsSince(oldest)} onOpen={() => onCaller(oldest.entry_id)} />
      ) : (
        <Tile
          label={t("tiles.longest")}
          value={line ? length(0) : "–"}
          note={t("tiles.longestNone")}
        />
      )}
      <FigureTile kpi="asa" label={t("tiles.asa")} />
      <FigureTile kpi="abandon_rate" label={t("tiles.abandon_rate")} />
      <Tile
        label={t("tiles.ready")}
        value={everybody ? count(ready) : "–"}
        note={
          everybody
            ? t("tiles.readyNote", {
                working: count(working),
                away: count((states.get("break") ?? 0) + (states.get("unreachable") ?? 0)),
              })
            : "–"
        }
        onOpen={() => onAgents("ready")}
        openLabel={t("tiles.readyOpen")}
      />
    </SimpleGrid>
  );
}

/** A figure now and today; each opens the contacts that it was made of. */
function FigureTile({ kpi, label }: { kpi: Exclude<Measured, "longest_wait">; label: ReactNode }) {
  const { t } = useTranslation(["floor", "common"]);
  const tenant = useStore(live)?.rows.find((row) => row.queue_id === "");
  const now = figureOf(tenant, "now", kpi);
  const today = figureOf(tenant, "today", kpi);
  // The rate's numerator is who gave up; of the others the whole is what people look for.
  const denominator = kpi !== "abandon_rate";
  const since = (fromMs: (toMs: number) => number) => () => {
    const toMs = Date.now();
    return { fromMs: fromMs(toMs), toMs, kpi, denominator };
  };
  return (
    <Tile
      label={String(label)}
      tone={tone(kpi, now?.value)}
      value={
        <Behind what={since((toMs) => toMs - NOW_SPAN_MS)} label={t("behind.now")}>
          {figure(now)}
        </Behind>
      }
      note={
        <>
          {t("common:today")}{" "}
          <Behind what={since(startOfDay)} label={t("behind.today")}>
            {figure(today)}
          </Behind>
        </>
      }
    />
  );
}

/** How many came today. */
function Offered() {
  const { t } = useTranslation("floor");
  const tenant = useStore(live)?.rows.find((row) => row.queue_id === "");
  return <>{t("tiles.offered", { offered: figure(figureOf(tenant, "today", "offered")) })}</>;
}

function LongestTile({ since, onOpen }: { since: number; onOpen: () => void }) {
  const { t } = useTranslation("floor");
  const waited = useSecond() - since;
  return (
    <Tile
      label={t("tiles.longest")}
      value={length(waited)}
      tone={waitTone(waited)}
      note={t("tiles.longestNote")}
      onOpen={onOpen}
      openLabel={t("tiles.longestOpen")}
    />
  );
}
