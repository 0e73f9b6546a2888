/** The figures of the whole organisation. */
import { SimpleGrid } from "@mantine/core";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { live } from "@/api/boards";
import { usePart } from "@/api/store";
import { count, figure, length } from "@/i18n/format";
import { Tile } from "@/ui/Tile";
import { useSecond } from "@/ui/Ticking";
import { Behind } from "./Behind";
import { waitsSince } from "./counts";
import { NOW_SPAN_MS, today } from "./links";
import { useLines, useStaffing } from "./tallies";
import { figureOf, tone, waitTone, type Measured } from "./tones";

interface Props {
  /** Shows agents of a state on the board. */
  onAgents: (state: string) => void;
  /** Shows why the one who waits longest still does. */
  onCaller: (entryId: string) => void;
  /** Goes to the list of those who wait. */
  onWaiting: () => void;
}

/** Only what moves is drawn again: a tile when its tone changes, a figure when it does. */
export const FloorTiles = memo(function FloorTiles({ onAgents, onCaller, onWaiting }: Props) {
  const { t } = useTranslation("floor");
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, xl: 6 }} spacing="md">
      <FigureTile kpi="service_level" label={t("tiles.service_level")} />
      <WaitingTile onOpen={onWaiting} />
      <LongestTile onOpen={onCaller} />
      <FigureTile kpi="asa" label={t("tiles.asa")} />
      <FigureTile kpi="abandon_rate" label={t("tiles.abandon_rate")} />
      <Tile
        label={t("tiles.ready")}
        value={<Ready />}
        note={<ReadyNote />}
        onOpen={() => onAgents("ready")}
        openLabel={t("tiles.readyOpen")}
      />
    </SimpleGrid>
  );
});

type Kpi = Exclude<Measured, "longest_wait">;

function useTenantFigure(when: "now" | "today", kpi: string) {
  const tenant = usePart(live, (all) => all?.rows.find((row) => row.queue_id === ""));
  return figureOf(tenant, when, kpi);
}

/** A figure now and today; each opens the contacts that it was made of. */
function FigureTile({ kpi, label }: { kpi: Kpi; label: string }) {
  const { t } = useTranslation(["floor", "common"]);
  const found = usePart(live, (all) => {
    const tenant = all?.rows.find((row) => row.queue_id === "");
    return tone(kpi, figureOf(tenant, "now", kpi)?.value);
  });
  return (
    <Tile
      label={label}
      tone={found}
      value={<Opening when="now" kpi={kpi} />}
      note={
        <>
          {t("common:today")} <Opening when="today" kpi={kpi} />
        </>
      }
    />
  );
}

function Opening({ when, kpi }: { when: "now" | "today"; kpi: Kpi }) {
  const { t } = useTranslation("floor");
  const shown = useTenantFigure(when, kpi);
  // The rate's numerator is who gave up; of the others the whole is what people look for.
  const denominator = kpi !== "abandon_rate";
  const what = () => {
    const toMs = Date.now();
    const fromMs = when === "now" ? toMs - NOW_SPAN_MS : today(toMs);
    return { fromMs, toMs, kpi, denominator };
  };
  return (
    <Behind what={what} label={t(`behind.${when}`)}>
      {figure(shown)}
    </Behind>
  );
}

function WaitingTile({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation("floor");
  const anybody = useLines((lines) => (lines?.total ?? 0) > 0);
  const nobodyReady = useStaffing((staffing) => staffing && !staffing.states.get("ready"));
  return (
    <Tile
      label={t("tiles.waiting")}
      value={<WaitingCount />}
      tone={anybody && nobodyReady ? "bad" : "plain"}
      note={<Offered />}
      onOpen={onOpen}
      openLabel={t("tiles.waitingOpen")}
    />
  );
}

function WaitingCount() {
  const total = useLines((lines) => lines?.total ?? null);
  return <>{total === null ? "–" : count(total)}</>;
}

/** How many came today. */
function Offered() {
  const { t } = useTranslation("floor");
  return <>{t("tiles.offered", { offered: figure(useTenantFigure("today", "offered")) })}</>;
}

function LongestTile({ onOpen }: { onOpen: (entryId: string) => void }) {
  const { t } = useTranslation("floor");
  const told = useLines((lines) => lines !== null);
  const oldest = useLines((lines) => lines?.oldest ?? null);
  if (oldest) return <Longest since={waitsSince(oldest)} onOpen={() => onOpen(oldest.entry_id)} />;
  return (
    <Tile
      label={t("tiles.longest")}
      value={told ? length(0) : "–"}
      note={told ? t("tiles.longestNone") : "–"}
    />
  );
}

function Longest({ since, onOpen }: { since: number; onOpen: () => void }) {
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

function Ready() {
  const ready = useStaffing((staffing) => staffing && (staffing.states.get("ready") ?? 0));
  return <>{ready === null ? "–" : count(ready)}</>;
}

function ReadyNote() {
  const { t } = useTranslation("floor");
  const working = useStaffing((staffing) => staffing?.working ?? null);
  const away = useStaffing(
    (staffing) => (staffing?.states.get("break") ?? 0) + (staffing?.states.get("unreachable") ?? 0),
  );
  if (working === null) return <>–</>;
  return <>{t("tiles.readyNote", { working: count(working), away: count(away) })}</>;
}
