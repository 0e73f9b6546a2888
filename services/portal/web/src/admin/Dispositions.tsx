/** What contacts were about, in the order in which agents see it. */
import { ActionIcon, Badge, Button, Group } from "@mantine/core";
import { IconListDetails, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { useQueueOptions } from "@/contacts/people";
import { DataTable, type Column } from "@/ui/DataTable";
import { NewButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { toast, toastProblem } from "@/ui/toast";
import { each, removeAll, tell } from "./common/bulk";
import { useDispositions, useFresh } from "./common/data";
import { Grip } from "./common/Grip";
import { moved } from "./common/order";
import { DispositionPanel } from "./DispositionPanel";

export type Disposition = Schema<"portal.v1.Disposition">;

/** Keeps it as it is given. */
export function putDisposition({ code, ...body }: Disposition) {
  return told(api.PUT("/v1/dispositions/{code}", { params: { path: { code } }, body }));
}

export default function Dispositions() {
  const { t } = useTranslation(["admin", "common"]);
  const client = useQueryClient();
  const fresh = useFresh();
  const found = useDispositions();
  const queues = useQueueOptions();
  const [open, setOpen] = useState<Disposition | "new" | null>(null);
  const all = found.data ?? [];
  const nameOf = (id: string) => queues.find((queue) => queue.value === id)?.label ?? id;
  const order = useMutation({
    mutationFn: (next: Disposition[]) => {
      client.setQueryData(["admin", "dispositions"], next);
      const before = new Map(all.map((one) => [one.code, one.position]));
      return each(
        next.filter((one) => before.get(one.code) !== one.position),
        putDisposition,
      );
    },
    onSuccess: ({ problems }) => problems.length > 0 && toastProblem(problems[0]),
    onSettled: () => fresh("dispositions"),
  });
  const move = (from: string, to: number) => {
    const next = moved(
      all,
      all.findIndex((one) => one.code === from),
      to,
    );
    order.mutate(next.map((one, place) => ({ ...one, position: place + 1 })));
  };
  const remove = (chosen: Disposition[], clear: () => void) =>
    removeAll(
      chosen,
      t("dispositions.sureRemove", { count: chosen.length }),
      ({ code }) => told(api.DELETE("/v1/dispositions/{code}", { params: { path: { code } } })),
      () => {
        clear();
        fresh("dispositions");
      },
    );
  const activate = async (chosen: Disposition[], active: boolean, clear: () => void) => {
    tell(await each(chosen, (one) => putDisposition({ ...one, active })));
    clear();
    fresh("dispositions");
  };
  const columns: Column<Disposition>[] = [
    { id: "label", title: t("dispositions.label"), value: (row) => row.label || row.code },
    { id: "code", title: t("dispositions.code"), value: (row) => row.code, from: "sm" },
    {
      id: "queues",
      title: t("dispositions.queues"),
      value: (row) => row.queue_ids.map(nameOf).join(", ") || t("dispositions.allQueues"),
      from: "md",
    },
    {
      id: "active",
      title: t("dispositions.state"),
      value: (row) => t(row.active ? "dispositions.active" : "dispositions.inactive"),
      cell: (row) => (
        <Badge color={row.active ? "teal" : "gray"}>
          {t(row.active ? "dispositions.active" : "dispositions.inactive")}
        </Badge>
      ),
      from: "sm",
    },
    {
      id: "order",
      title: t("dispositions.order"),
      value: (row) => all.indexOf(row),
      align: "right",
      cell: (row) => (
        <Grip
          id={row.code}
          name={row.label || row.code}
          place={all.indexOf(row)}
          count={all.length}
          onMove={(to) => move(row.code, to)}
        />
      ),
    },
  ];
  const create = <NewButton onClick={() => setOpen("new")}>{t("dispositions.new")}</NewButton>;
  return (
    <Page
      title={t("common:nav.dispositions")}
      lead={t("dispositions.lead")}
      actions={all.length > 0 && create}
    >
      <DataTable
        label={t("common:nav.dispositions")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.code}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={setOpen}
        filters={[
          {
            id: "queue",
            label: t("dispositions.queue"),
            options: queues,
            matches: (row, queue) => row.queue_ids.length === 0 || row.queue_ids.includes(queue),
          },
          {
            id: "active",
            label: t("dispositions.state"),
            options: [
              { value: "yes", label: t("dispositions.active") },
              { value: "no", label: t("dispositions.inactive") },
            ],
            matches: (row, chosen) => row.active === (chosen === "yes"),
          },
        ]}
        empty={
          <Empty icon={IconListDetails} title={t("dispositions.none")} action={create}>
            {t("dispositions.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => (
          <Group gap="xs">
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => void activate(chosen, true, clear)}
            >
              {t("dispositions.offer")}
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => void activate(chosen, false, clear)}
            >
              {t("dispositions.offerNot")}
            </Button>
            <ActionIcon
              color="red"
              aria-label={t("common:action.remove")}
              onClick={() => void remove(chosen, clear)}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        )}
      />
      {open && (
        <DispositionPanel
          key={open === "new" ? "" : open.code}
          old={open === "new" ? null : open}
          all={all}
          queues={queues}
          onClose={() => setOpen(null)}
          onSaved={() => {
            setOpen(null);
            fresh("dispositions");
            toast(t("common:saved"));
          }}
          onRemove={(one) => void remove([one], () => setOpen(null))}
        />
      )}
    </Page>
  );
}
