/** Which rows are shown, and the way to the others. */
import { ActionIcon, Button, Group, Select, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import type { Table } from "@tanstack/react-table";
import { useTranslation } from "react-i18next";

interface Props<Row> {
  table: Table<Row>;
  /** Rows that match. */
  found: number;
  /** Rows there are. */
  total: number;
}

export function Pager<Row>({ table, found, total }: Props<Row>) {
  const { t } = useTranslation();
  const pages = table.getPageCount();
  const { pageIndex, pageSize } = table.getState().pagination;
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" role="status">
        {found === total
          ? t("table.rows", { count: total })
          : t("table.of", { shown: found, total })}
      </Text>
      {(pages > 1 || found > 25) && (
        <Group gap="xs">
          <Select
            aria-label={t("table.perPage")}
            data={["25", "50", "100", "250"]}
            value={String(pageSize)}
            onChange={(value) => value && table.setPageSize(Number(value))}
            w={80}
            size="xs"
            allowDeselect={false}
          />
          <Text size="sm" c="dimmed">
            {t("table.page", { page: Math.min(pageIndex + 1, pages), pages })}
          </Text>
          <ActionIcon
            aria-label={t("table.previous")}
            disabled={!table.getCanPreviousPage()}
            onClick={() => table.previousPage()}
          >
            <IconChevronLeft size={18} />
          </ActionIcon>
          <ActionIcon
            aria-label={t("table.next")}
            disabled={!table.getCanNextPage()}
            onClick={() => table.nextPage()}
          >
            <IconChevronRight size={18} />
          </ActionIcon>
        </Group>
      )}
    </Group>
  );
}

interface MoreProps {
  /** Rows that are shown. */
  found: number;
  any: boolean;
  busy: boolean;
  load: () => void;
}

/** How many rows were had from the server so far, and the way to the next. */
export function More({ found, any, busy, load }: MoreProps) {
  const { t } = useTranslation();
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" role="status">
        {t("table.rows", { count: found })}
      </Text>
      {any && (
        <Button variant="default" size="compact-sm" loading={busy} onClick={load}>
          {t("table.more")}
        </Button>
      )}
    </Group>
  );
}
