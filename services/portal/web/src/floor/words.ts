/** Routing's words, as people say them. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

/** Why an agent can not take a contact now. */
export function useWhyNot(): (reason: string) => string {
  const { t, i18n } = useTranslation("floor");
  return useCallback(
    (reason) =>
      i18n.exists(`floor:whyNot.${reason}`) ? t(`whyNot.${reason as "resting"}`) : reason,
    [t, i18n],
  );
}
