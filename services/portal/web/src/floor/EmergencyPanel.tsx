/** Closes a queue at once with a message, or opens it again. */
import { Alert, Switch, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { QueueView } from "@/api/types";
import { ask } from "@/ui/Ask";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { useKept } from "./useKept";
import { QUEUES } from "./useQueues";

const LONGEST = 1000;

interface Props {
  /** null: closed. */
  queue: QueueView | null;
  onClose: () => void;
}

export function EmergencyPanel({ queue: wanted, onClose }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const client = useQueryClient();
  const opened = wanted !== null;
  const queue = useKept(wanted, opened);
  const [message, setMessage] = useState("");
  const [release, setRelease] = useState(false);
  const [tried, setTried] = useState(false);
  const closes = !queue?.emergency;
  const name = queue?.name || queue?.queue_id || "";
  const { mutate, reset, isPending, error } = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/queues/{queue_id}:set-emergency", {
          params: { path: { queue_id: queue?.queue_id ?? "" } },
          body: closes
            ? { active: true, message: message.trim(), release_waiting: release }
            : { active: false },
        }),
      ),
    onSuccess: (view) => {
      client.setQueryData<QueueView[]>(QUEUES, (all) =>
        all?.map((each) => (each.queue_id === view.queue_id ? view : each)),
      );
      toast(t(view.emergency ? "emergency.closed" : "emergency.opened", { name }));
      onClose();
    },
  });
  useEffect(() => {
    if (!opened) return;
    reset();
    setMessage("");
    setRelease(false);
    setTried(false);
  }, [opened, reset]);

  const wrong = message.trim() === "" ? "empty" : message.length > LONGEST ? "long" : null;
  const save = async () => {
    setTried(true);
    if (closes && wrong) return;
    const text = t(closes ? "emergency.closeAsk" : "emergency.openAsk", { name });
    const yes = t(closes ? "emergency.close" : "emergency.open");
    if (await ask({ text, yes, danger: closes })) mutate();
  };
  return (
    <SidePanel
      opened={opened}
      onClose={onClose}
      title={t(closes ? "emergency.closeTitle" : "emergency.openTitle", { name })}
      onSave={() => void save()}
      saving={isPending}
      problem={error}
      dirty={closes && message !== "" && !isPending}
      saveLabel={t(closes ? "emergency.close" : "emergency.open")}
    >
      {closes ? (
        <>
          <Alert color="orange" variant="light">
            {t("emergency.lead")}
          </Alert>
          <Textarea
            label={t("emergency.message")}
            description={t("emergency.messageHelp")}
            value={message}
            onChange={(event) => setMessage(event.currentTarget.value)}
            error={tried && wrong ? t(`emergency.wrong.${wrong}`, { most: LONGEST }) : undefined}
            autosize
            minRows={4}
            required
          />
          <Switch
            label={t("emergency.release")}
            description={t("emergency.releaseHelp")}
            checked={release}
            onChange={(event) => setRelease(event.currentTarget.checked)}
          />
        </>
      ) : (
        <>
          <Text size="sm">{t("emergency.openLead")}</Text>
          {queue?.emergency_message && (
            <Alert color="gray" variant="light" title={t("emergency.told")}>
              {queue.emergency_message}
            </Alert>
          )}
        </>
      )}
    </SidePanel>
  );
}
