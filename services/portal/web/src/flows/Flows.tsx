/** Every flow: which version calls get, and which numbers lead to it. */
import { Badge, Button, Group, Text } from "@mantine/core";
import { IconRoute, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { removeAll } from "@/admin/common/bulk";
import { useFresh, useNumbers } from "@/admin/common/data";
import { useGo } from "@/app/go";
import { when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { DataTable, type Column } from "@/ui/DataTable";
import { NewButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { useRows, type Row } from "./data";
import { NewFlow } from "./NewFlow";
import { Standing } from "./Standing";
import { hasDraft } from "./useDraft";

export default function Flows() {
  const { t } = useTranslation(["flows", "admin", "common"]);
  const go = useGo();
  const fresh = useFresh();
  const phone = usePhone();
  const rows = useRows();
  const numbers = useNumbers();
  const [making, setMaking] = useState(false);
  const leading = (id: string) =>
    (numbers.data ?? []).filter((one) => one.flow_id === id).map((one) => phone(one.number));
  const remove = (chosen: Row[], clear: () => void) =>
    removeAll(
      chosen,
      t("sureRemove", { count: chosen.length }),
      ({ id }) => told(api.DELETE("/v1/flows/{flow_id}", { params: { path: { flow_id: id } } })),
      () => {
        clear();
        fresh("flows");
      },
    );
  const columns: Column<Row>[] = [
    {
      id: "name",
      title: t("name"),
      value: (row) => row.name,
      cell: (row) => (
        <>
          <Text span size="sm" fw={600}>
            {row.name}
          </Text>
          <Text size="xs" c="dimmed">
            {row.id}
          </Text>
        </>
      ),
    },
    {
      id: "published",
      title: t("state"),
      value: (row) => row.published,
      cell: (row) => (
        <Group gap={8}>
          <Standing published={row.published} newest={row.newest.version} />
          {hasDraft(row.id) && (
            <Badge variant="light" color="orange" title={t("unsavedHelp")}>
              {t("unsaved")}
            </Badge>
          )}
        </Group>
      ),
    },
    {
      id: "numbers",
      title: t("leads"),
      value: (row) => leading(row.id).join(" "),
      from: "sm",
      cell: (row) => {
        const all = leading(row.id);
        if (all.length === 0)
          return (
            <Text span size="sm" c="dimmed">
              {t("noNumber")}
            </Text>
          );
        return (
          <Group gap={6}>
            {all.slice(0, 3).map((one) => (
              <Badge key={one} variant="light" color="gray" className="tabular">
                {one}
              </Badge>
            ))}
            {all.length > 3 && <Text size="sm">+{all.length - 3}</Text>}
          </Group>
        );
      },
    },
    {
      id: "changed",
      title: t("changed"),
      value: (row) => ms(row.newest.created_at_ms),
      cell: (row) => when(ms(row.newest.created_at_ms)),
      from: "md",
    },
  ];
  const begin = <NewButton onClick={() => setMaking(true)}>{t("new")}</NewButton>;
  const none = rows.data?.length === 0;
  return (
    <Page title={t("common:nav.flows")} lead={t("lead")} actions={!none && begin}>
      <DataTable
        label={t("common:nav.flows")}
        columns={columns}
        rows={rows.data}
        rowKey={(row) => row.id}
        problem={rows.error}
        onRetry={() => void rows.refetch()}
        onOpen={(row) => go(`/admin/flows/${row.id}`)}
        sortBy={{ id: "name" }}
        empty={
          <Empty icon={IconRoute} title={t("empty")} action={begin}>
            {t("emptyHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => (
          <Button
            size="compact-sm"
            variant="light"
            color="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={() => void remove(chosen, clear)}
          >
            {t("common:action.remove")}
          </Button>
        )}
      />
      {making && (
        <NewFlow taken={rows.data?.map((row) => row.id) ?? []} onClose={() => setMaking(false)} />
      )}
    </Page>
  );
}
