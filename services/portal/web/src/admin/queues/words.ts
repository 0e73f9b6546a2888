/** Rules in few words. */
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";
import type { MODES, WrapUp } from "./rules";

/** `Up to 30 s`. */
export function useWrapUpWords(): (policy: WrapUp) => string {
  const { t } = useTranslation("admin");
  return (policy) => {
    const mode = (policy.mode ?? "timed") as (typeof MODES)[number];
    return t(`wrapUp.words.${mode}`, { seconds: ms(policy.max_ms ?? "30000") / 1000 });
  };
}
