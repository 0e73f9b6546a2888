/** Notifications while another page is in front; calls ring without them, too. */
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askToNotify, mayAskToNotify } from "../phone/notice";
import { Step } from "./Step";

export function NotifyStep() {
  const { t } = useTranslation("desk");
  const [open, setOpen] = useState(mayAskToNotify);
  const granted = "Notification" in globalThis && Notification.permission === "granted";
  const words = granted ? "on" : open ? "ask" : "off";
  return (
    <Step
      name={t("check.notify.name")}
      state={granted ? "done" : "waiting"}
      words={t(`check.notify.${words}`)}
    >
      {open && (
        <Group>
          <Button
            variant="light"
            onClick={() => void askToNotify().finally(() => setOpen(mayAskToNotify()))}
          >
            {t("check.notify.allow")}
          </Button>
        </Group>
      )}
    </Step>
  );
}
