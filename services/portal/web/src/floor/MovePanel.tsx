/** Moves the chosen agents between queues in one step. */
import { Alert, MultiSelect, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { SidePanel } from "@/ui/SidePanel";
import { toast, toastProblem, toastUndo } from "@/ui/toast";
import { faultOf, move, MOST, servedBy, undo, type Moved } from "./moving";
import { useKept } from "./useKept";
import { QUEUES, useQueueName, useQueues } from "./useQueues";

interface Props {
  /** Empty: closed. */
  ids: string[];
  onClose: () => void;
}

export function MovePanel({ ids: chosen, onClose }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const client = useQueryClient();
  const queues = useQueues();
  const queueName = useQueueName();
  const [from, setFrom] = useState<string[]>([]);
  const [to, setTo] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const opened = chosen.length > 0;
  // What is being closed keeps its words until it is gone.
  const ids = useKept(chosen, opened);
  const served = useMemo(() => {
    const all = agents.get();
    return servedBy(ids.flatMap((id) => all?.get(id) ?? []));
  }, [ids]);

  const fresh = () => void client.invalidateQueries({ queryKey: QUEUES });
  const takeBack = (moved: Moved) =>
    undo(moved).then(() => {
      toast(t("move.undone"));
      fresh();
    }, toastProblem);
  const { mutate, reset, isPending, error } = useMutation({
    mutationFn: () => move(ids, from, to),
    onSuccess: (moved) => {
      fresh();
      onClose();
      toastUndo(t("move.done", { count: moved.after.length }), () => void takeBack(moved));
    },
  });
  useEffect(() => {
    if (!opened) return;
    reset();
    setTried(false);
    setTo([]);
    setFrom([]);
  }, [opened, reset]);

  const fault = faultOf(ids, from, to);
  const save = () => {
    setTried(true);
    if (!fault) mutate();
  };
  const names = ids.map((id) => agents.get()?.get(id)?.name ?? id);
  const several = names.length > 6;
  return (
    <SidePanel
      opened={opened}
      onClose={onClose}
      title={t("move.title", { count: ids.length })}
      onSave={save}
      saving={isPending}
      problem={error}
      dirty={from.length + to.length > 0 && !isPending}
      saveLabel={t("move.save")}
    >
      <Text size="sm" c="dimmed">
        {names.slice(0, several ? 5 : 6).join(", ")}
        {several && ` ${t("move.others", { count: names.length - 5 })}`}
      </Text>
      <MultiSelect
        label={t("move.from")}
        description={t("move.fromHelp")}
        data={[...served].map(([queue, count]) => ({
          value: queue,
          label:
            ids.length > 1 ? t("move.served", { name: queueName(queue), count }) : queueName(queue),
        }))}
        value={from}
        onChange={setFrom}
        placeholder={from.length > 0 ? "" : t("move.noneLeft")}
        clearable
        searchable
      />
      <MultiSelect
        label={t("move.to")}
        description={t("move.toHelp")}
        data={(queues.data ?? []).map((queue) => ({
          value: queue.queue_id,
          label: queue.name || queue.queue_id,
        }))}
        value={to}
        onChange={setTo}
        placeholder={to.length > 0 ? "" : t("move.noneJoined")}
        error={tried && fault && fault !== "tooMany" ? t(`move.fault.${fault}`) : undefined}
        clearable
        searchable
      />
      {ids.length > MOST && (
        <Alert color="orange" variant="light" role="alert">
          {t("move.fault.tooMany", { most: MOST })}
        </Alert>
      )}
      <Text size="sm" c="dimmed">
        {t("move.note")}
      </Text>
    </SidePanel>
  );
}
