/** A problem in words that say what to do. */
import i18next from "i18next";
import { asProblem } from "@/api/problem";

/** In the person's language where the catalogue has the code, else the server's own words. */
export function inWords(thrown: unknown): string {
  const problem = asProblem(thrown);
  const own = `error.${problem.code}`;
  if (i18next.exists(own)) return i18next.t(own as "error.fault");
  if (problem.status === 429) return i18next.t("error.too-many");
  if (problem.status >= 502) return i18next.t("error.unavailable");
  if (problem.field)
    return i18next.t("error.field", { field: problem.field, detail: problem.detail });
  if (!problem.detail) return i18next.t("error.fault");
  return i18next.t("error.coded", { detail: problem.detail, code: problem.code });
}
