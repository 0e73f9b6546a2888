/** Handing the caller on: to a queue, a colleague or a number, with the reason. */
import { Alert, Badge, Group, Radio, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconInfoCircle } from "@tabler/icons-react";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { DeskWork } from "@/api/types";
import { StateBadge } from "@/ui/StateBadge";
import { ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { transfer } from "../phone/commands";
import { idOf } from "../words";
import { looksLikeNumber, targetOf } from "./targets";

const MAX_REASON = 100;

export default function Transfer({ work, onClose }: { work: DeskWork; onClose: () => void }) {
  const { t } = useTranslation(["desk", "common"]);
  const [words, setWords] = useState("");
  const [search] = useDebouncedValue(words.trim(), 200);
  const [chosen, choose] = useState("");
  const [reason, setReason] = useState("");
  const [sent, setSent] = useState(false);
  const number = looksLikeNumber(words) ? words.trim() : "";
  const { data, error, refetch } = useQuery({
    queryKey: ["transfer-targets", number ? "" : search],
    queryFn: () =>
      told(
        api.GET("/v1/desk/transfer-targets", {
          params: { query: { search: number ? "" : search } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 3_000,
  });
  const target = number && chosen === "" ? { number } : targetOf(chosen, number);
  const hand = useMutation({
    mutationFn: () => {
      if (!target) throw new TypeError("no target");
      return transfer(idOf(work), target, reason.trim());
    },
    onSuccess: () => {
      toast(t("desk:transfer.done"));
      onClose();
    },
  });
  const send = () => {
    setSent(true);
    if (target && reason.trim()) hand.mutate();
  };
  return (
    <SidePanel
      opened
      onClose={onClose}
      title={t("desk:transfer.title")}
      onSave={send}
      saving={hand.isPending}
      problem={hand.error}
      saveLabel={t("desk:transfer.send")}
    >
      <Alert variant="light" icon={<IconInfoCircle aria-hidden />} py="xs">
        <Text size="sm">{t("desk:transfer.what")}</Text>
      </Alert>
      <TextInput
        label={t("desk:transfer.reason")}
        description={t("desk:transfer.reasonHelp")}
        value={reason}
        maxLength={MAX_REASON}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={sent && !reason.trim() && t("desk:transfer.reasonMissing")}
        data-autofocus
      />
      <TextInput
        label={t("desk:transfer.to")}
        description={t("desk:transfer.toHelp")}
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          choose("");
        }}
        error={sent && !target && t("desk:transfer.toMissing")}
      />
      {error && !data && <ErrorNote problem={error} onRetry={() => void refetch()} />}
      {!data && !error && <Rows rows={4} />}
      {data && (
        <Radio.Group
          value={chosen || (number ? "number" : "")}
          onChange={(value) => choose(value === "number" ? "" : value)}
          aria-label={t("desk:transfer.to")}
        >
          <Stack gap="md">
            {number && <Radio value="number" label={t("desk:transfer.number", { number })} />}
            {!number && data.queues.length > 0 && (
              <Stack gap="xs">
                <Text size="sm" fw={600} c="dimmed">
                  {t("desk:transfer.queues")}
                </Text>
                {data.queues.map((queue) => (
                  <Radio
                    key={queue.queue_id}
                    value={`queue:${queue.queue_id}`}
                    disabled={!queue.open}
                    label={queue.name}
                    description={
                      queue.open
                        ? t("desk:transfer.queueNow", {
                            waiting: queue.waiting,
                            ready: queue.ready,
                          })
                        : t("desk:transfer.closed")
                    }
                  />
                ))}
              </Stack>
            )}
            {!number && data.agents.length > 0 && (
              <Stack gap="xs">
                <Text size="sm" fw={600} c="dimmed">
                  {t("desk:transfer.agents")}
                </Text>
                {data.agents.map((agent) => (
                  <Radio
                    key={agent.agent_id}
                    value={`agent:${agent.agent_id}`}
                    label={
                      <Group gap="xs" component="span">
                        {agent.name}
                        <StateBadge state={agent.state} />
                        {!agent.routable && (
                          <Badge color="gray" component="span">
                            {t("desk:transfer.waits")}
                          </Badge>
                        )}
                      </Group>
                    }
                  />
                ))}
              </Stack>
            )}
            {!number && data.queues.length + data.agents.length === 0 && (
              <Text size="sm" c="dimmed">
                {t("desk:transfer.nobody")}
              </Text>
            )}
          </Stack>
        </Radio.Group>
      )}
    </SidePanel>
  );
}
