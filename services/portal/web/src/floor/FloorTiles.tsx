/** The figures of the whole organisation. */
import { SimpleGrid } from "@mantine/core";
import { memo, type ReactNode } from "react";
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
import { figureOf, levelTone, tone, waitTone } from "./tones";
import { useGoodLevel } from "./useQueues";
import classes from "./Floor.module.css";

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
        value={
          <Opens onOpen={() => onAgents("ready")} label={t("tiles.readyOpen")}>
            <Ready />
          </Opens>
        }
        note={<ReadyNote onAgents={onAgents} />}
      />
    </SimpleGrid>
  );
});

type Kpi = "service_level" | "asa" | "abandon_rate";

function useTenantFigure(when: "now" | "today", kpi: string) {
  const tenant = usePart(live, (all) => all?.rows.find((row) => row.queue_id === ""));
  return figureOf(tenant, when, kpi);
}

/** A figure now and today; each opens the contacts that it was made of. */
function FigureTile({ kpi, label }: { kpi: Kpi; label: string }) {
  const { t } = useTranslation(["floor", "common"]);
  const goodLevel = useGoodLevel();
  const found = usePart(live, (all) => {
    const tenant = all?.rows.find((row) => row.queue_id === "");
    const value = figureOf(tenant, "now", kpi)?.value;
    return kpi === "service_level" ? levelTone(value, goodLevel) : tone(kpi, value);
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
      value={
        <Opens onOpen={onOpen} label={t("tiles.waitingOpen")}>
          <WaitingCount />
        </Opens>
      }
      tone={anybody && nobodyReady ? "bad" : "plain"}
      note={<Offered />}
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
  const offered = figure(useTenantFigure("today", "offered"));
  const what = () => {
    const toMs = Date.now();
    return { fromMs: today(toMs), toMs, kpi: "offered" };
  };
  return (
    <Behind what={what} label={t("behind.today")}>
      {t("tiles.offered", { offered })}
    </Behind>
  );
}

/** A number that shows on this page what it counts. */
function Opens(props: { onOpen: () => void; label: string; children: ReactNode }) {
  return (
    <button type="button" className={classes.opens} title={props.label} onClick={props.onOpen}>
      {props.children}
    </button>
  );
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

function ReadyNote({ onAgents }: Pick<Props, "onAgents">) {
  const { t } = useTranslation("floor");
  const working = useStaffing((staffing) => staffing?.working ?? null);
  const away = useStaffing((staffing) => staffing?.away ?? 0);
  if (working === null) return <>–</>;
  return (
    <>
      <Opens onOpen={() => onAgents("working")} label={t("tiles.workingOpen")}>
        {t("tiles.working", { working: count(working) })}
      </Opens>
      {" · "}
      <Opens onOpen={() => onAgents("away")} label={t("tiles.awayOpen")}>
        {t("tiles.away", { away: count(away) })}
      </Opens>
    </>
  );
}
