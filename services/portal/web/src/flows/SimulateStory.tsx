/** What was said and done, as a conversation. */
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { length } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { storyOf, type Step, type Turn } from "./story";
import { useWords } from "./useWords";
import classes from "./Tabs.module.css";

export function SimulateStory({ steps }: { steps: readonly Step[] }) {
  const { t } = useTranslation("flows");
  const say = useSay();
  const turns = useMemo(() => storyOf(steps), [steps]);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [turns]);
  return (
    <div
      ref={list}
      className={classes.story}
      role="log"
      aria-label={t("sim.conversation")}
      tabIndex={0}
    >
      {turns.map((turn, at) =>
        turn.side === "note" ? (
          <div
            key={at}
            className={classes.note}
            data-tone={turn.kind === "fault" ? "bad" : turn.kind === "end" ? "end" : "plain"}
          >
            {say(turn)}
          </div>
        ) : (
          <div
            key={at}
            className={`${classes.bubble} ${turn.side === "flow" ? classes.flow : classes.caller}`}
            title={`${turn.node} · ${length(turn.atMs)}`}
          >
            {say(turn)}
          </div>
        ),
      )}
    </div>
  );
}

/** A turn in words. */
function useSay(): (turn: Turn) => string {
  const { t, i18n } = useTranslation("flows");
  const { exitWords, wayWords, named } = useWords();
  const phone = usePhone();
  return ({ kind, values }) => {
    const { text = "", prompt = "", digits = "", state = "" } = values;
    const queue = named.queue(values.queue ?? "");
    const has = (key: string) => i18n.exists(`flows:${key}`);
    switch (kind) {
      case "say":
        return text;
      case "play.sound":
        return t("turn.play.sound", { sound: named.sound(values.sound ?? "") });
      case "play.prompt":
        return t("turn.play.prompt", { prompt: prompt || (values.sha256 ?? "").slice(0, 8) });
      case "keyed":
        return digits ? t("turn.keyed", { digits }) : t("turn.silent");
      case "hours":
        return wayWords({ way: values.branch ?? "open", value: "", to: "" });
      case "set":
        return Object.entries(values)
          .map(([name, value]) => `${name} = ${value}`)
          .join(", ");
      case "queue.exit":
        return t("turn.queue.exit", { queue, exit: exitWords(values.exit ?? "") });
      case "dial.rings":
        return t("turn.dial.rings", { to: phone(values.to ?? "") });
      case "dial.outcome": {
        const outcome = values.outcome ?? "";
        const words = has(`sim.dial.${outcome}`) ? t(`sim.dial.${outcome as "busy"}`) : outcome;
        return t("turn.dial.outcome", { to: phone(values.to ?? ""), outcome: words });
      }
      case "hangUp":
        return t(`turn.hangUp.${(values.by ?? "caller") as "caller"}`);
      case "end": {
        const how = values.termination ?? "unknown";
        return t(`turn.end.${(has(`turn.end.${how}`) ? how : "unknown") as "success"}`);
      }
      case "fault":
        return values.reason === "input-does-not-fit"
          ? t("turn.faultInput")
          : t("turn.fault", { reason: values.reason ?? "" });
      default: {
        if (has(`turn.${kind}`)) return t(`turn.${kind as "queue.joined"}`, { queue, state });
        return kind.startsWith("queue")
          ? t("turn.queue.other", { queue, state })
          : t("turn.agent.other", { state });
      }
    }
  };
}
