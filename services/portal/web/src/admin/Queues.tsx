/** Where callers wait, and whom they get. */
import { Badge, Button } from "@mantine/core";
import { IconAdjustments, IconStack2 } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { live, useTopics } from "@/api/boards";
import { api, told } from "@/api/client";
import { useStore } from "@/api/store";
import { ms, type QueueView } from "@/api/types";
import { useAgentOptions } from "@/contacts/people";
import { DataTable, type Column } from "@/ui/DataTable";
import { Named, NewButton, RemoveButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { Since } from "@/ui/Ticking";
import { each, removeAll, tell } from "./common/bulk";
import {
  useAgentConfigs,
  useFresh,
  useQueueConfigs,
  useQueueViews,
  useTenantDefaults,
  type QueueConfig,
} from "./common/data";
import { DefaultsPanel } from "./queues/DefaultsPanel";
import { QueueAgents } from "./queues/QueueAgents";
import { QueuePanel } from "./queues/QueuePanel";
import { inheritedWrapUp, PLATFORM, type STRATEGIES } from "./queues/rules";
import { useWrapUpWords } from "./queues/words";

type Open =
  { kind: "new" } | { kind: "queue" | "agents"; queue: QueueConfig } | { kind: "defaults" };

export default function Queues() {
  const { t } = useTranslation(["admin", "common"]);
  useTopics("live");
  const rows = useStore(live)?.rows;
  const fresh = useFresh();
  const found = useQueueConfigs();
  const views = useQueueViews();
  const defaults = useTenantDefaults();
  const configs = useAgentConfigs();
  const agents = useAgentOptions();
  const words = useWrapUpWords();
  const [open, setOpen] = useState<Open | null>(null);
  const viewOf = useMemo(
    () => new Map(views.data?.map((view) => [view.queue_id, view]) ?? []),
    [views.data],
  );
  const served = useMemo(() => {
    const counts = new Map<string, number>();
    for (const agent of configs.data ?? [])
      for (const { queue_id } of agent.queues)
        counts.set(queue_id, (counts.get(queue_id) ?? 0) + 1);
    return counts;
  }, [configs.data]);
  const nowOf = (id: string) => rows?.find((row) => row.queue_id === id);
  const waiting = (id: string) => nowOf(id)?.waiting ?? ms(viewOf.get(id)?.waiting);
  const remove = (chosen: QueueConfig[], clear: () => void) =>
    removeAll(
      chosen,
      t("queues.sure", { count: chosen.length, name: chosen[0]?.name }),
      ({ queue_id }) =>
        told(api.DELETE("/v1/queues/{queue_id}", { params: { path: { queue_id } } })),
      () => {
        clear();
        fresh("queues", "configs", "agents");
      },
    );
  const setOpenState = async (chosen: QueueConfig[], is: boolean, clear: () => void) => {
    tell(
      await each(chosen, ({ queue_id, ...body }) =>
        told(
          api.PUT("/v1/queues/{queue_id}", {
            params: { path: { queue_id } },
            body: { ...body, open: is },
          }),
        ),
      ),
    );
    clear();
    fresh("queues", "configs");
  };
  const strategies = (row: QueueConfig) =>
    (row.strategies.length > 0 ? row.strategies : PLATFORM.strategies)
      .map((one) => t(`strategy.${one as (typeof STRATEGIES)[number]}.name`))
      .join(" → ");
  const columns: Column<QueueConfig>[] = [
    {
      id: "name",
      title: t("queues.name"),
      value: (row) => `${row.name} ${row.queue_id}`,
      cell: (row) => <Named name={row.name} id={row.queue_id} />,
    },
    {
      id: "state",
      title: t("queues.state"),
      value: (row) => t(`queues.is.${stateOf(row, viewOf.get(row.queue_id))}`),
      cell: (row) => <QueueState state={stateOf(row, viewOf.get(row.queue_id))} />,
      from: "sm",
    },
    {
      id: "waiting",
      title: t("queues.waiting"),
      align: "right",
      value: (row) => waiting(row.queue_id),
      cell: (row) => <span className="tabular">{waiting(row.queue_id)}</span>,
    },
    {
      id: "longest",
      title: t("queues.longest"),
      align: "right",
      value: (row) => -ms(nowOf(row.queue_id)?.oldest_waiting_since_ms),
      cell: (row) => <Since ms={ms(nowOf(row.queue_id)?.oldest_waiting_since_ms)} />,
      from: "sm",
    },
    {
      id: "agents",
      title: t("queues.agents"),
      align: "right",
      value: (row) => served.get(row.queue_id) ?? 0,
      cell: (row) => (
        <Button
          variant="subtle"
          size="compact-sm"
          title={t("queues.agentsOf", { name: row.name || row.queue_id })}
          onClick={(event) => {
            event.stopPropagation();
            setOpen({ kind: "agents", queue: row });
          }}
        >
          <span className="tabular">{served.get(row.queue_id) ?? 0}</span>
        </Button>
      ),
    },
    { id: "strategies", title: t("queues.strategies"), value: strategies, from: "lg" },
    {
      id: "wrap",
      title: t("queues.wrapUp"),
      value: (row) => words(row.wrap_up ?? inheritedWrapUp(defaults.data).value),
      from: "md",
    },
  ];
  const create = <NewButton onClick={() => setOpen({ kind: "new" })}>{t("queues.new")}</NewButton>;
  const close = () => setOpen(null);
  const saved = () => {
    close();
    fresh("queues", "configs", "defaults");
  };
  const editing = open?.kind === "queue" ? open.queue : null;
  return (
    <Page
      title={t("common:nav.queues")}
      lead={t("queues.lead")}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconAdjustments size={16} aria-hidden />}
            onClick={() => setOpen({ kind: "defaults" })}
            disabled={!defaults.data}
          >
            {t("defaults.title")}
          </Button>
          {(found.data?.length ?? 0) > 0 && create}
        </>
      }
    >
      <DataTable
        label={t("common:nav.queues")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.queue_id}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={(queue) => setOpen({ kind: "queue", queue })}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "state",
            label: t("queues.state"),
            options: (["open", "closed", "emergency"] as const).map((value) => ({
              value,
              label: t(`queues.is.${value}`),
            })),
            matches: (row, chosen) => stateOf(row, viewOf.get(row.queue_id)) === chosen,
          },
        ]}
        empty={
          <Empty icon={IconStack2} title={t("queues.none")} action={create}>
            {t("queues.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => (
          <>
            {[true, false].map((is) => (
              <Button
                key={String(is)}
                size="compact-sm"
                variant="default"
                onClick={() => void setOpenState(chosen, is, clear)}
              >
                {t(is ? "queues.doOpen" : "queues.doClose")}
              </Button>
            ))}
            <RemoveButton onClick={() => void remove(chosen, clear)} />
          </>
        )}
      />
      {(open?.kind === "new" || editing) && (
        <QueuePanel
          key={editing?.queue_id ?? ""}
          old={editing}
          defaults={defaults.data}
          queues={(found.data ?? []).map((queue) => ({
            value: queue.queue_id,
            label: queue.name || queue.queue_id,
          }))}
          skills={[
            ...new Set(configs.data?.flatMap((one) => one.skills.map((skill) => skill.name)) ?? []),
          ].sort()}
          agents={agents}
          onClose={close}
          onSaved={saved}
          onAgents={(queue) => setOpen({ kind: "agents", queue })}
          onRemove={(queue) => void remove([queue], close)}
        />
      )}
      {open?.kind === "agents" && <QueueAgents queue={open.queue} onClose={close} />}
      {open?.kind === "defaults" && defaults.data && (
        <DefaultsPanel old={defaults.data} onClose={close} onSaved={saved} />
      )}
    </Page>
  );
}

function stateOf(queue: QueueConfig, view: QueueView | undefined): "open" | "closed" | "emergency" {
  if (view?.emergency) return "emergency";
  return (queue.open ?? true) ? "open" : "closed";
}

const COLORS = { open: "teal", closed: "gray", emergency: "red" } as const;

function QueueState({ state }: { state: keyof typeof COLORS }) {
  const { t } = useTranslation("admin");
  return <Badge color={COLORS[state]}>{t(`queues.is.${state}`)}</Badge>;
}
