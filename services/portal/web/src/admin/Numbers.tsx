/** The numbers that callers dial, and where each leads. */
import { Anchor, Button, Group } from "@mantine/core";
import { IconFileUpload, IconPhoneCall } from "@tabler/icons-react";
import { useState, type MouseEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { Link } from "@/app/go";
import { usePhone } from "@/i18n/phone";
import { DataTable, type Column } from "@/ui/DataTable";
import { NewButton, RemoveButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { toast } from "@/ui/toast";
import { removeAll } from "./common/bulk";
import { useFlows, useFresh, useNumbers } from "./common/data";
import { NumberPanel } from "./NumberPanel";
import { NumbersImport } from "./NumbersImport";

export type DialledNumber = Schema<"ivr.v1.Number">;

export default function Numbers() {
  const { t } = useTranslation(["admin", "common"]);
  const phone = usePhone();
  const fresh = useFresh();
  const found = useNumbers();
  const flows = useFlows();
  const [open, setOpen] = useState<DialledNumber | "new" | null>(null);
  const [importing, setImporting] = useState(false);
  // A number can only lead to what calls get.
  const published = (flows.data ?? [])
    .filter((flow) => flow.published_version > 0)
    .map((flow) => ({ value: flow.flow_id, label: flow.name || flow.flow_id }))
    .sort((one, other) => one.label.localeCompare(other.label));
  const flowName = (id: string) => flows.data?.find((flow) => flow.flow_id === id)?.name || id;
  const remove = (chosen: DialledNumber[], clear: () => void) =>
    removeAll(
      chosen,
      t("numbers.sure", {
        count: chosen.length,
        number: phone(chosen[0]?.number ?? ""),
      }),
      ({ number, trunk }) =>
        told(
          api.DELETE("/v1/numbers/{number}", { params: { path: { number }, query: { trunk } } }),
        ),
      () => {
        clear();
        fresh("numbers");
      },
    );
  const columns: Column<DialledNumber>[] = [
    {
      id: "number",
      title: t("numbers.number"),
      value: (row) => row.number,
      cell: (row) => <span className="tabular">{phone(row.number)}</span>,
    },
    {
      id: "flow",
      title: t("numbers.flow"),
      value: (row) => flowName(row.flow_id),
      cell: (row) => (
        <Anchor
          component={Link}
          size="sm"
          href={`/admin/flows/${encodeURIComponent(row.flow_id)}`}
          onClick={(event: MouseEvent) => event.stopPropagation()}
        >
          {flowName(row.flow_id)}
        </Anchor>
      ),
    },
    { id: "trunk", title: t("numbers.trunk"), value: (row) => row.trunk || "local", from: "sm" },
  ];
  const any = (found.data?.length ?? 0) > 0;
  const create = <NewButton onClick={() => setOpen("new")}>{t("numbers.new")}</NewButton>;
  const bring = (
    <Button
      variant="default"
      leftSection={<IconFileUpload size={16} aria-hidden />}
      onClick={() => setImporting(true)}
    >
      {t("common:action.import")}
    </Button>
  );
  return (
    <Page
      title={t("common:nav.numbers")}
      lead={t("numbers.lead")}
      actions={
        any && (
          <>
            {bring}
            {create}
          </>
        )
      }
    >
      <DataTable
        label={t("common:nav.numbers")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => `${row.trunk} ${row.number}`}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={setOpen}
        sortBy={{ id: "number" }}
        filters={[
          {
            id: "flow",
            label: t("numbers.flow"),
            options: published,
            matches: (row, flow) => row.flow_id === flow,
          },
        ]}
        empty={
          <Empty
            icon={IconPhoneCall}
            title={t("numbers.none")}
            action={
              flows.data && published.length === 0 ? (
                <Button component={Link} href="/admin/flows">
                  {t("numbers.toFlows")}
                </Button>
              ) : (
                <Group gap="xs">
                  {bring}
                  {create}
                </Group>
              )
            }
          >
            {t(flows.data && published.length === 0 ? "numbers.noFlow" : "numbers.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => <RemoveButton onClick={() => void remove(chosen, clear)} />}
      />
      {open && (
        <NumberPanel
          key={open === "new" ? "" : `${open.trunk} ${open.number}`}
          old={open === "new" ? null : open}
          all={found.data ?? []}
          flows={published}
          onClose={() => setOpen(null)}
          onSaved={() => {
            setOpen(null);
            fresh("numbers");
            toast(t("common:saved"));
          }}
          onRemove={(one) => void remove([one], () => setOpen(null))}
        />
      )}
      {importing && (
        <NumbersImport
          all={found.data ?? []}
          flowIds={published.map((flow) => flow.value)}
          onClose={() => setImporting(false)}
          onMade={() => fresh("numbers")}
        />
      )}
    </Page>
  );
}
