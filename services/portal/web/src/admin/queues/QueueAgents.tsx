/** Who serves a queue; many join or leave in one step, which can be taken back. */
import { Badge, Button, Group } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { move, MOST, undo, type Moved } from "@/floor/moving";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { toastProblem, toastUndo } from "@/ui/toast";
import { useAgentConfigs, useFresh, type AgentConfig, type QueueConfig } from "../common/data";

interface Props {
  queue: QueueConfig;
  onClose: () => void;
}

export function QueueAgents({ queue, onClose }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const agents = useAgentConfigs();
  const id = queue.queue_id;
  const serves = (agent: AgentConfig) => agent.queues.some((each) => each.queue_id === id);
  const renew = () => fresh("agents", "queues");
  const change = useMutation({
    mutationFn: ({ ids, join }: { ids: string[]; join: boolean }) =>
      move(ids.slice(0, MOST), join ? [] : [id], join ? [id] : []),
    onSuccess: (moved: Moved) => {
      renew();
      toastUndo(t("queues.moved", { count: moved.after.length }), () => {
        undo(moved).then(renew, toastProblem);
      });
    },
    onError: toastProblem,
  });
  const columns: Column<AgentConfig>[] = [
    { id: "name", title: t("users.name"), value: (row) => row.name || row.agent_id },
    {
      id: "skills",
      title: t("users.skills"),
      value: (row) => row.skills.map((skill) => `${skill.name} ${skill.level}`).join(", ") || "–",
      from: "sm",
    },
    {
      id: "in",
      title: t("queues.serves"),
      value: (row) => t(serves(row) ? "common:yes" : "common:no"),
      cell: (row) => (serves(row) ? <Badge color="teal">{t("common:yes")}</Badge> : <span>–</span>),
    },
  ];
  return (
    <SidePanel
      opened
      title={t("queues.agentsOf", { name: queue.name || id })}
      onClose={onClose}
      size={720}
    >
      <DataTable
        label={t("queues.agentsOf", { name: queue.name || id })}
        columns={columns}
        rows={agents.data}
        rowKey={(row) => row.agent_id}
        problem={agents.error}
        onRetry={() => void agents.refetch()}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "in",
            label: t("queues.serves"),
            options: [
              { value: "yes", label: t("common:yes") },
              { value: "no", label: t("common:no") },
            ],
            matches: (row, chosen) => serves(row) === (chosen === "yes"),
          },
        ]}
        empty={
          <Empty icon={IconUsers} title={t("skills.none")}>
            {t("skills.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => (
          <Group gap="xs">
            {[true, false].map((join) => (
              <Button
                key={String(join)}
                size="compact-sm"
                variant={join ? "filled" : "default"}
                loading={change.isPending}
                onClick={() =>
                  change.mutate(
                    { ids: chosen.map((agent) => agent.agent_id), join },
                    { onSuccess: clear },
                  )
                }
              >
                {t(join ? "queues.join" : "queues.leave")}
              </Button>
            ))}
          </Group>
        )}
      />
    </SidePanel>
  );
}
