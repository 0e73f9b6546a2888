/** Says who rings outside of the page, too: in the title and in the system's notification. */
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { useStore } from "@/api/store";
import { link } from "@/api/feed";
import { useGo } from "@/app/go";
import { usePhone } from "@/i18n/phone";
import { clearNotice, notice } from "./phone/notice";
import { checked } from "./phone/softphone";
import { nameOf, numberOf } from "./work";
import { isRinging } from "./words";

export function RingNotice({ works }: { works: DeskWork[] }) {
  const here = useStore(checked);
  const mine = useStore(link) !== "replaced" && here;
  const work = mine ? works.find(isRinging) : undefined;
  return work ? <Notice work={work} /> : null;
}

function Notice({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const go = useGo();
  const title = t("ring.title", {
    who: nameOf(work) || written(numberOf(work)) || t("caller.withheld"),
  });
  const body = t("ring.body", { queue: work.queue_name });
  useEffect(() => {
    notice(title, body, () => go("/desk"));
  }, [title, body, go]);
  useEffect(() => clearNotice, []);
  return null;
}
