/** One agent on the board; drawn again only when something about this agent changes. */
import { IconAlertTriangle, IconArrowForwardUp } from "@tabler/icons-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { usePart } from "@/api/store";
import { ms, type AgentView } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { reasonWords } from "@/ui/reason";
import { StateBadge } from "@/ui/StateBadge";
import { Since, useSecond } from "@/ui/Ticking";
import { inHand } from "./agents";
import { alertOf } from "./attention";
import { callerOf } from "./counts";
import { useWhyNot } from "./words";
import classes from "./AgentsBoard.module.css";

export interface AgentRowProps {
  id: string;
  chosen: boolean;
  onChoose: (id: string, range: boolean) => void;
  onOpen: (id: string) => void;
  queueName: (id: string) => string;
}

export const AgentRow = memo(function AgentRow(props: AgentRowProps) {
  const agent = usePart(agents, (all) => all?.get(props.id));
  // Whoever was removed leaves their place empty until the list is put in order again.
  return agent ? <Cells {...props} agent={agent} /> : null;
});

/** What is selected is decided by the click, which knows of the Shift key. */
function ignore(): void {
  // A controlled box asks for somebody who listens.
}

function Cells({
  id,
  chosen,
  onChoose,
  onOpen,
  queueName,
  agent,
}: AgentRowProps & { agent: AgentView }) {
  const { t } = useTranslation(["floor", "common"]);
  const phone = usePhone();
  const whyNot = useWhyNot();
  const caller = callerOf(inHand(agent)?.contact);
  const queues = agent.queue_ids.map(queueName).join(", ");
  // The state has said these already.
  const told = ["signed_out", "on_break", "rona", "unreachable", "at_capacity"];
  const why = agent.why_not && !told.includes(agent.why_not) ? whyNot(agent.why_not) : "";
  return (
    <>
      <span role="cell" className={classes.choose}>
        <input
          type="checkbox"
          className={classes.box}
          checked={chosen}
          aria-label={t("agents.choose", { name: agent.name })}
          data-stop="choose"
          onChange={ignore}
          onClick={(event) => onChoose(id, event.shiftKey)}
        />
      </span>
      <span role="cell" className={classes.name}>
        <button
          type="button"
          className={classes.open}
          data-stop="open"
          aria-haspopup="dialog"
          onClick={() => onOpen(id)}
        >
          {agent.name}
        </button>
      </span>
      <span role="cell" className={classes.state}>
        <StateBadge
          state={agent.state}
          reason={agent.reason === "rona" ? "" : reasonWords(agent.reason)}
        />
        {agent.pending && (
          <span className={classes.pending} title={t("agents.pending")}>
            <IconArrowForwardUp size={14} aria-hidden />
            {t(`common:state.${agent.pending as "break"}`)}
          </span>
        )}
      </span>
      <span role="cell" className={classes.since}>
        <Since ms={ms(agent.since_ms)} />
        <Mark agent={agent} />
      </span>
      <span role="cell" className={`${classes.contact} tabular`}>
        {caller.name || phone(caller.number)}
      </span>
      <span role="cell" className={classes.queues} title={queues}>
        {queues}
      </span>
      <span role="cell" className={classes.why} title={why}>
        {why}
      </span>
    </>
  );
}

/** What stands out, from the second on which it does. */
function Mark({ agent }: { agent: AgentView }) {
  const { t } = useTranslation("floor");
  const alert = alertOf(agent, useSecond());
  if (!alert) return null;
  return (
    <span className={classes.alert} title={t(`alert.${alert}`)}>
      <IconAlertTriangle size={15} aria-hidden />
      <span className={classes.alertWords}>{t(`alertShort.${alert}`)}</span>
    </span>
  );
}
