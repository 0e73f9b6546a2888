/** Agents by state; each count shows those agents on the board. */
import { Group } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { usePart } from "@/api/store";
import { count } from "@/i18n/format";
import { stateColor, STATES, type State } from "@/ui/StateBadge";
import { useSecond } from "@/ui/Ticking";
import { alertOf } from "./attention";
import { useStaffing } from "./tallies";
import classes from "./AgentsBoard.module.css";

interface Props {
  chosen: string;
  onChoose: (state: string) => void;
}

export const StateChips = memo(function StateChips({ chosen, onChoose }: Props) {
  const { t } = useTranslation("floor");
  return (
    <Group gap={6} role="group" aria-label={t("agents.byState")}>
      <button
        type="button"
        className={classes.chip}
        aria-pressed={chosen === "attention"}
        onClick={() => onChoose(chosen === "attention" ? "" : "attention")}
      >
        <Alerts />
      </button>
      {STATES.map((state) => (
        <Chip key={state} state={state} pressed={chosen === state} onChoose={onChoose} />
      ))}
    </Group>
  );
});

interface ChipProps {
  state: State;
  pressed: boolean;
  onChoose: (state: string) => void;
}

/** Nothing for a state that nobody is in, but for the one that everybody looks for. */
function Chip({ state, pressed, onChoose }: ChipProps) {
  const { t } = useTranslation();
  const found = useStaffing((staffing) => staffing?.states.get(state) ?? 0);
  if (found === 0 && !pressed && state !== "ready") return null;
  return (
    <button
      type="button"
      className={classes.chip}
      aria-pressed={pressed}
      onClick={() => onChoose(pressed ? "" : state)}
    >
      <span className={classes.dot} style={{ background: stateColor(state) }} />
      {t(`state.${state}`)} <b className="tabular">{count(found)}</b>
    </button>
  );
}

function Alerts() {
  const { t } = useTranslation("floor");
  const now = useSecond();
  const found = usePart(agents, (all) => {
    let alerts = 0;
    for (const agent of all?.values() ?? []) if (alertOf(agent, now)) alerts += 1;
    return alerts;
  });
  return (
    <>
      <IconAlertTriangle
        size={14}
        color={found > 0 ? "var(--state-ring)" : "var(--quiet)"}
        aria-hidden
      />
      {t("agents.attention")} <b className="tabular">{count(found)}</b>
    </>
  );
}
