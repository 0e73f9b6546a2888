/** The catalogue `contacts` for sentences whose key is made up from what happened. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Say } from "./words";

export function useSay(): Say {
  const { t } = useTranslation("contacts");
  return useCallback(
    // Which keys there are is known by the lists in words.ts, and a test compares them.
    (key, values) => t(key as "customer.unknown", values as never) as unknown as string,
    [t],
  );
}
