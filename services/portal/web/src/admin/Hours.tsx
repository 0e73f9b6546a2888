/** When the business is open; call flows go by it. */
import { Badge } from "@mantine/core";
import { IconCalendarTime } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Named, NewButton, RemoveButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { removeAll } from "./common/bulk";
import { useCalendars, useFresh } from "./common/data";
import { CalendarPanel, type Calendar } from "./hours/CalendarPanel";

export default function Hours() {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const found = useCalendars();
  const [open, setOpen] = useState<Calendar | "new" | null>(null);
  const remove = (chosen: Calendar[], clear: () => void) =>
    removeAll(
      chosen,
      t("hours.sure", { count: chosen.length, name: chosen[0]?.name }),
      ({ calendar_id }) =>
        told(api.DELETE("/v1/calendars/{calendar_id}", { params: { path: { calendar_id } } })),
      () => {
        clear();
        fresh("calendars");
      },
    );
  const columns: Column<Calendar>[] = [
    {
      id: "name",
      title: t("hours.name"),
      value: (row) => `${row.name} ${row.calendar_id}`,
      cell: (row) => <Named name={row.name} id={row.calendar_id} />,
    },
    {
      id: "now",
      title: t("hours.now"),
      value: (row) => t(row.open_now ? "hours.isOpen" : "hours.isClosed"),
      cell: (row) => (
        <Badge color={row.open_now ? "teal" : "gray"}>
          {t(row.open_now ? "hours.isOpen" : "hours.isClosed")}
        </Badge>
      ),
    },
    {
      id: "next",
      title: t("hours.changes"),
      value: (row) => ms(row.changes_at_ms),
      cell: (row) => when(ms(row.changes_at_ms)) || t("hours.never"),
      from: "sm",
    },
    {
      id: "special",
      title: t("hours.special"),
      value: (row) => row.special_days.length,
      align: "right",
      from: "md",
    },
    {
      id: "used",
      title: t("hours.usedBy"),
      value: (row) => row.used_by.join(", ") || t("hours.unused"),
      from: "md",
    },
  ];
  const create = <NewButton onClick={() => setOpen("new")}>{t("hours.new")}</NewButton>;
  return (
    <Page
      title={t("common:nav.hours")}
      lead={t("hours.lead")}
      actions={(found.data?.length ?? 0) > 0 && create}
    >
      <DataTable
        label={t("common:nav.hours")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.calendar_id}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={setOpen}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "now",
            label: t("hours.now"),
            options: [
              { value: "open", label: t("hours.isOpen") },
              { value: "closed", label: t("hours.isClosed") },
            ],
            matches: (row, chosen) => row.open_now === (chosen === "open"),
          },
        ]}
        empty={
          <Empty icon={IconCalendarTime} title={t("hours.none")} action={create}>
            {t("hours.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => <RemoveButton onClick={() => void remove(chosen, clear)} />}
      />
      {open && (
        <CalendarPanel
          key={open === "new" ? "" : open.calendar_id}
          old={open === "new" ? null : open}
          taken={found.data?.map((one) => one.calendar_id) ?? []}
          onClose={() => setOpen(null)}
          onSaved={() => {
            setOpen(null);
            fresh("calendars");
          }}
          onRemove={(one) => void remove([one], () => setOpen(null))}
        />
      )}
    </Page>
  );
}
