/** Every alarm that there was, the newest first. */
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { usePaged } from "@/ui/paged";
import { PagedRows } from "@/ui/PagedRows";
import { AlarmCard } from "./AlarmCard";
import { PAST_ALARMS } from "./alarms";

const PAGE = 20;

export function PastAlarms() {
  const { t } = useTranslation("floor");
  const found = usePaged({
    queryKey: PAST_ALARMS,
    read: (token) =>
      told(
        api.GET("/v1/alarms", {
          params: { query: { "page.size": PAGE, "page.token": token } },
        }),
      ),
    rowsOf: (answer) => answer.alarms,
  });
  return (
    <PagedRows found={found} none={t("alarms.noPast")} likely={{ rows: 4, height: 72 }}>
      {(alarm) => <AlarmCard key={alarm.alarm_id} alarm={alarm} />}
    </PagedRows>
  );
}
