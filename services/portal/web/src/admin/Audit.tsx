/** What people did, and what they were refused. */
import { Badge, Group, Paper, Select, Switch, Text, TextInput } from "@mantine/core";
import { IconClipboardList } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { useQueueOptions } from "@/contacts/people";
import { when, zone } from "@/i18n/format";
import { dayAfter, startOfDate } from "@/reports/ranges";
import { useAddress } from "@/reports/useAddress";
import { DataTable, type Column } from "@/ui/DataTable";
import { HALF } from "@/ui/half";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { usePaged } from "@/ui/paged";
import { actionWords, AREAS, subjectWords, type Area } from "./audit";
import { AuditDetail } from "./AuditDetail";
import { useApiKeys, useUsers } from "./common/data";

export type AuditEntry = Schema<"portal.v1.AuditEntry">;

const PAGE = 50;

export function Outcome({ outcome }: { outcome: string }) {
  const { t } = useTranslation("admin");
  return outcome === "ok" ? (
    <Badge color="teal">{t("audit.ok")}</Badge>
  ) : (
    <Badge color="red">{t("audit.refused", { code: outcome })}</Badge>
  );
}

/** What people call those whose ids stand on the trail. */
function useNames(): ReadonlyMap<string, string> {
  const users = useUsers().data;
  const keys = useApiKeys().data;
  const queues = useQueueOptions();
  return useMemo(
    () =>
      new Map([
        ...(users ?? []).map((user): [string, string] => [
          user.user_id,
          user.display_name || user.username,
        ]),
        ...(keys ?? []).map((key): [string, string] => [key.key_id, key.name]),
        ...queues.map((queue): [string, string] => [queue.value, queue.label]),
      ]),
    [users, keys, queues],
  );
}

export default function Audit() {
  const { t } = useTranslation(["admin", "common"]);
  const names = useNames();
  const [params, change] = useAddress();
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const value = (name: string) => params.get(name) ?? "";
  const from = startOfDate(value("from"), zone());
  const last = startOfDate(value("to"), zone());
  const area = value("area") as Area;
  const query = {
    ...(from !== null && { from_ms: from }),
    ...(last !== null && { to_ms: dayAfter(last, 1, zone()) }),
    ...(value("who") && { actor_id: value("who") }),
    ...(AREAS[area] && { action: AREAS[area] }),
    ...(value("refused") && { refused: true }),
  };
  const found = usePaged({
    queryKey: ["admin", "audit", query],
    keep: true,
    read: (token) =>
      told(
        api.GET("/v1/audit", {
          params: { query: { ...query, "page.size": PAGE, "page.token": token } },
        }),
      ),
    rowsOf: (answer) => answer.entries,
  });
  const columns: Column<AuditEntry>[] = [
    {
      id: "action",
      title: t("audit.what"),
      value: (row) => row.action,
      cell: (row) => actionWords(row.action),
    },
    {
      id: "subject",
      title: t("audit.subject"),
      value: (row) => row.subject,
      cell: (row) => (
        <Text size="sm" maw={320} truncate>
          {subjectWords(row.subject, names) || "–"}
        </Text>
      ),
      from: "md",
    },
    {
      id: "who",
      title: t("audit.who"),
      value: (row) => row.actor_name || t("audit.nobody"),
    },
    {
      id: "outcome",
      title: t("audit.outcome"),
      value: (row) => row.outcome,
      cell: (row) => <Outcome outcome={row.outcome} />,
      from: "sm",
    },
    { id: "from", title: t("audit.from"), value: (row) => row.address, from: "lg" },
    {
      id: "when",
      title: t("audit.when"),
      value: (row) => ms(row.at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.at_ms))}</span>,
      align: "right",
    },
  ];
  return (
    <Page title={t("common:nav.audit")} lead={t("audit.lead")}>
      <Filters value={value} change={change} />
      <DataTable
        label={t("common:nav.audit")}
        columns={columns.map((column) => ({ ...column, sort: false }))}
        {...found}
        rowKey={(row) => row.audit_id}
        onOpen={setOpen}
        searchable={false}
        empty={
          <Empty icon={IconClipboardList} title={t("common:table.nothingFound")}>
            {t("common:table.nothingFoundHelp")}
          </Empty>
        }
      />
      {open && (
        <AuditDetail
          entry={open}
          subject={subjectWords(open.subject, names)}
          onClose={() => setOpen(null)}
        />
      )}
    </Page>
  );
}

interface FiltersProps {
  value: (name: string) => string;
  change: (changes: Record<string, string | null>) => void;
}

function Filters({ value, change }: FiltersProps) {
  const { t } = useTranslation(["admin", "common"]);
  const users = useUsers();
  const keys = useApiKeys();
  const people = [
    {
      group: t("common:nav.users"),
      items: (users.data ?? []).map((user) => ({
        value: user.user_id,
        label: user.display_name || user.username,
      })),
    },
    {
      group: t("common:nav.api-keys"),
      items: (keys.data ?? []).map((key) => ({ value: key.key_id, label: key.name })),
    },
  ];
  return (
    <Paper className="panel" p="md" component="search">
      <Group gap="sm" align="flex-end">
        <Select
          label={t("audit.who")}
          placeholder={t("common:table.all")}
          data={people.filter((group) => group.items.length > 0)}
          value={value("who") || null}
          onChange={(who) => change({ who })}
          searchable
          clearable
          w={{ base: HALF, xs: 200 }}
        />
        <Select
          label={t("audit.what")}
          placeholder={t("common:table.all")}
          data={(Object.keys(AREAS) as Area[]).map((area) => ({
            value: area,
            label: t(`audit.area.${area}`),
          }))}
          value={value("area") || null}
          onChange={(area) => change({ area })}
          clearable
          w={{ base: HALF, xs: 200 }}
        />
        <TextInput
          type="date"
          label={t("audit.fromDay")}
          value={value("from")}
          onChange={(event) => change({ from: event.currentTarget.value })}
        />
        <TextInput
          type="date"
          label={t("audit.toDay")}
          value={value("to")}
          onChange={(event) => change({ to: event.currentTarget.value })}
        />
        <Switch
          label={t("audit.onlyRefused")}
          checked={value("refused") !== ""}
          onChange={(event) => change({ refused: event.currentTarget.checked ? "1" : null })}
          pb={8}
        />
      </Group>
    </Paper>
  );
}
