/** Ways, faults, exits, and what is named by ids, in words. */
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useQueueConfigs } from "@/admin/common/data";
import type { Fault } from "./data";
import type { Named, Way } from "./model";

export function useWords() {
  const { t, i18n } = useTranslation("flows");
  const exitWords = useCallback(
    (exit: string) =>
      i18n.exists(`flows:exit.${exit}`)
        ? t(`exit.${exit as "timeout"}`)
        : exit.replaceAll("_", " "),
    [t, i18n],
  );
  const wayWords = useCallback(
    ({ way, value }: Way) => {
      if (way === "key" || way === "case") return value;
      if (way === "exit") return exitWords(value);
      return t(`way.${way as "next"}`);
    },
    [t, exitWords],
  );
  /** What is wrong, in the person's language where the catalogue has the code. */
  const faultWords = useCallback(
    ({ code }: Fault) =>
      i18n.exists(`flows:fault.${code}`) ? t(`fault.${code as "not-json"}`) : code,
    [t, i18n],
  );
  const fieldWords = useCallback(
    (field: string) =>
      i18n.exists(`flows:field.${field}`) ? t(`field.${field as "next"}`) : field,
    [t, i18n],
  );
  const queues = useQueueConfigs().data;
  const named = useMemo((): Named => {
    const names = new Map(queues?.map((queue) => [queue.queue_id, queue.name]));
    return {
      queue: (id) => names.get(id) || id,
      sound: (name) => (i18n.exists(`flows:sound.${name}`) ? t(`sound.${name as "music"}`) : name),
    };
  }, [queues, t, i18n]);
  return { named, wayWords, exitWords, faultWords, fieldWords };
}
