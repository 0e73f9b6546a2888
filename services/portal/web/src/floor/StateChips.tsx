/** Agents by state; each count shows those agents on the board. */
import { Group } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { useStore } from "@/api/store";
import { count } from "@/i18n/format";
import { stateColor, STATES } from "@/ui/StateBadge";
import { useSecond } from "@/ui/Ticking";
import { alertOf } from "./attention";
import { byState } from "./counts";
import classes from "./AgentsBoard.module.css";

interface Props {
  chosen: string;
  onChoose: (state: string) => void;
}

export function StateChips({ chosen, onChoose }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const all = useStore(agents);
  const counts = useMemo(() => byState(all?.values() ?? []), [all]);
  const now = useSecond();
  const alerts = useMemo(() => {
    let found = 0;
    for (const agent of all?.values() ?? []) if (alertOf(agent, now)) found += 1;
    return found;
  }, [all, now]);
  const toggle = (state: string) => onChoose(chosen === state ? "" : state);
  return (
    <Group gap={6} role="group" aria-label={t("agents.byState")}>
      <button
        type="button"
        className={classes.chip}
        aria-pressed={chosen === "attention"}
        onClick={() => toggle("attention")}
      >
        <IconAlertTriangle
          size={14}
          color={alerts > 0 ? "var(--state-ring)" : "var(--quiet)"}
          aria-hidden
        />
        {t("agents.attention")} <b className="tabular">{count(alerts)}</b>
      </button>
      {STATES.filter((state) => counts.has(state) || state === chosen || state === "ready").map(
        (state) => (
          <button
            key={state}
            type="button"
            className={classes.chip}
            aria-pressed={chosen === state}
            onClick={() => toggle(state)}
          >
            <span className={classes.dot} style={{ background: stateColor(state) }} />
            {t(`common:state.${state}`)} <b className="tabular">{count(counts.get(state) ?? 0)}</b>
          </button>
        ),
      )}
    </Group>
  );
}
