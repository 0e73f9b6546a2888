/** Why the caller is here, with names instead of ids. */
import { useTranslation } from "react-i18next";
import { useQueueOptions } from "@/contacts/people";
import { usePhone } from "@/i18n/phone";
import { useMenuPath } from "@/ui/useMenuPath";
import { failedTarget, type Reason } from "../work";

export function useReasonWords(): (reason: Reason) => string {
  const { t } = useTranslation("desk");
  const path = useMenuPath();
  const phone = usePhone();
  const queues = useQueueOptions();
  const queue = (id: string) => queues.find((each) => each.value === id)?.label ?? id;
  const failed = (value: string) => {
    const { kind, target } = failedTarget(value);
    if (kind === "queue") return queue(target);
    return kind === "number" ? phone(target) : t("reason.colleague");
  };
  return ({ kind, value }) => {
    if (kind === "menu_path") return path(value);
    if (kind === "transferred_from") return queue(value);
    return kind === "transfer_failed" ? failed(value) : value;
  };
}
