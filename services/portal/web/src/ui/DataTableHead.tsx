/** The head of a column, which sorts. */
import { Table } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { Column as Head } from "@tanstack/react-table";
import { useTranslation } from "react-i18next";
import type { Column } from "./DataTable";
import classes from "./DataTable.module.css";

interface Props<Row> {
  column: Column<Row>;
  head: Head<Row> | undefined;
}

export function HeadCell<Row>({ column, head }: Props<Row>) {
  const { t } = useTranslation();
  const sorted = head?.getIsSorted() ?? false;
  const sortable = head?.getCanSort() ?? false;
  return (
    <Table.Th
      ta={column.align ?? "left"}
      w={column.width}
      aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : "none"}
      {...(column.from && { visibleFrom: column.from })}
    >
      {sortable ? (
        <button type="button" className={classes.head} onClick={head?.getToggleSortingHandler()}>
          {column.title}
          {sorted === "asc" && <IconArrowUp size={14} aria-label={t("table.sortUp")} />}
          {sorted === "desc" && <IconArrowDown size={14} aria-label={t("table.sortDown")} />}
        </button>
      ) : (
        <span className={`${classes.head} ${classes.plain}`}>{column.title}</span>
      )}
    </Table.Th>
  );
}
