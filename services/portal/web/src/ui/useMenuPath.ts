/** The way through a menu in the person's language. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { menuPath } from "./menuPath";

export function useMenuPath(): (path: string) => string {
  const { t } = useTranslation();
  return useCallback((path) => menuPath(path, (answer) => t(`path.${answer}`)), [t]);
}
