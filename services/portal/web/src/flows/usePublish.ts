/** Asks, saying what changes and for whom, then makes a version the one that callers get. */
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { useFresh, useNumbers } from "@/admin/common/data";
import { usePhone } from "@/i18n/phone";
import { ask } from "@/ui/Ask";
import { toast, toastProblem } from "@/ui/toast";

/** Numbers that are named; more are counted. */
const NAMED = 5;

export function usePublish(flow_id: string, published: number) {
  const { t } = useTranslation("flows");
  const phone = usePhone();
  const fresh = useFresh();
  const numbers = useNumbers();
  const publish = useMutation({
    mutationFn: (version: number) =>
      told(
        api.POST("/v1/flows/{flow_id}:publish", {
          params: { path: { flow_id } },
          body: { version },
        }),
      ),
    onSuccess: (done) => {
      fresh("flows");
      toast(t("publishedAs", { version: done.version }));
    },
    onError: toastProblem,
  });
  const asked = async (version: number) => {
    const all = (numbers.data ?? []).filter((one) => one.flow_id === flow_id);
    const named = all.slice(0, NAMED).map((one) => phone(one.number));
    const what =
      all.length === 0
        ? t("publishNone", { version })
        : t("publishText", {
            count: all.length,
            numbers: named.join(", ") + (all.length > NAMED ? " …" : ""),
            version,
          });
    const text = published > version ? `${what} ${t("backText", { published })}` : what;
    const title = t("publishTitle", { version });
    if (await ask({ title, text, yes: t("publish"), danger: false })) publish.mutate(version);
  };
  return { publish: asked, busy: publish.isPending };
}
