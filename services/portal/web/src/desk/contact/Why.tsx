/** Why the caller is here: what they pressed, who handed them on, how long they waited. */
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { length } from "@/i18n/format";
import { useSecond } from "@/ui/Ticking";
import { reasonsOf, waitedMs } from "../work";
import { useReasonWords } from "./useReasonWords";
import classes from "../Desk.module.css";

export function Why({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const now = useSecond();
  const words = useReasonWords();
  const { reservation: row } = work;
  if (!row) return null;
  return (
    <dl className={classes.reasons}>
      {reasonsOf(row).map((reason) => (
        <div key={reason.name} className={classes.reason}>
          <dt>
            {reason.kind === "other"
              ? reason.name.replaceAll("_", " ")
              : t(`reason.${reason.kind}`)}
          </dt>
          <dd>{words(reason)}</dd>
        </div>
      ))}
      <div className={classes.reason}>
        <dt>{t("reason.waited")}</dt>
        <dd className="tabular">{length(waitedMs(row, now))}</dd>
      </div>
    </dl>
  );
}
