/** A list: search, filter, sort, page, choose rows, and what to say when there are none. */
import { Box, Checkbox, Group, Paper, Select, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import {
  getCoreRowModel,
  getFilteredRowModel,
  getPaginationRowModel,
  getSortedRowModel,
  useReactTable,
  type RowSelectionState,
  type SortingState,
} from "@tanstack/react-table";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote, Empty, Rows } from "./notes";
import { HeadCell } from "./DataTableHead";
import { More, Pager } from "./DataTablePager";
import classes from "./DataTable.module.css";

/** One column of a list of `Row`s. */
export interface Column<Row> {
  id: string;
  title: string;
  /** What is sorted, searched and, without `cell`, shown. */
  value: (row: Row) => string | number;
  cell?: (row: Row) => ReactNode;
  /** Shown only on screens at least this wide. */
  from?: "sm" | "md" | "lg";
  align?: "left" | "right";
  /** False: it can not be sorted. */
  sort?: boolean;
  width?: number | string;
}

/** A choice above the list: rows whose value is not the chosen one are not shown. */
export interface Filter<Row> {
  id: string;
  label: string;
  options: { value: string; label: string }[];
  matches: (row: Row, chosen: string) => boolean;
}

interface Props<Row> {
  /** What the list is of, for people who hear the page. */
  label: string;
  columns: Column<Row>[];
  rows: Row[] | undefined;
  rowKey: (row: Row) => string;
  problem?: unknown;
  onRetry?: () => void;
  filters?: Filter<Row>[];
  /** What stands there when there is no row at all: what to do first. */
  empty: ReactNode;
  /** Makes a row a button. */
  onOpen?: (row: Row) => void;
  /** What can be done with the chosen rows; without it rows can not be chosen. */
  bulk?: (chosen: Row[], clear: () => void) => ReactNode;
  /** At the right of the search box. */
  tools?: ReactNode;
  sortBy?: { id: string; desc?: boolean };
  perPage?: number;
  /** False: no search box; for lists that the server searches. */
  searchable?: boolean;
  /** For lists that the server pages: all rows had so far are shown, and the way to the next. */
  more?: { any: boolean; busy: boolean; load: () => void };
}

/** See `Props`. */
export function DataTable<Row>(props: Props<Row>) {
  const { columns, rows, rowKey, filters = [], onOpen, bulk, searchable = true } = props;
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [search] = useDebouncedValue(words, 120);
  const [chosen, setChosen] = useState<Record<string, string | null>>({});
  const [sorting, setSorting] = useState<SortingState>(
    props.sortBy ? [{ id: props.sortBy.id, desc: props.sortBy.desc ?? false }] : [],
  );
  const [selection, setSelection] = useState<RowSelectionState>({});
  const [pagination, setPagination] = useState({ pageIndex: 0, pageSize: props.perPage ?? 25 });

  const filtered = useMemo(
    () =>
      (rows ?? []).filter((row) =>
        filters.every((filter) => {
          const value = chosen[filter.id];
          return !value || filter.matches(row, value);
        }),
      ),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- filters are made anew with each drawing; what they do is the same
    [rows, chosen],
  );
  const table = useReactTable({
    data: filtered,
    columns: columns.map((column) => ({
      id: column.id,
      accessorFn: column.value,
      enableSorting: column.sort !== false,
      sortingFn: "alphanumeric" as const,
    })),
    getRowId: rowKey,
    state: { globalFilter: search, sorting, rowSelection: selection, pagination },
    onSortingChange: setSorting,
    onRowSelectionChange: setSelection,
    onPaginationChange: setPagination,
    globalFilterFn: (row, id, value: string) =>
      String(row.getValue(id)).toLowerCase().includes(value.toLowerCase()),
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    getFilteredRowModel: getFilteredRowModel(),
    getPaginationRowModel: getPaginationRowModel(),
    autoResetPageIndex: false,
    manualPagination: props.more !== undefined,
  });
  const shown = table.getRowModel().rows;
  const found = table.getFilteredRowModel().rows.length;
  const selected = Object.keys(selection).length > 0 ? table.getSelectedRowModel().rows : [];

  if (props.problem !== undefined && props.problem !== null && !rows)
    return <ErrorNote problem={props.problem} {...(props.onRetry && { onRetry: props.onRetry })} />;
  if (!rows) return <Rows />;
  if (rows.length === 0) return <Paper className="panel">{props.empty}</Paper>;
  return (
    <Paper className="panel" component="section" aria-label={props.label}>
      <Group
        p="sm"
        gap="sm"
        className={classes.tools}
        {...(!searchable && filters.length === 0 && !props.tools && { display: "none" })}
      >
        {searchable && (
          <TextInput
            value={words}
            onChange={(event) => {
              setWords(event.currentTarget.value);
              table.setPageIndex(0);
            }}
            placeholder={t("table.search")}
            aria-label={t("table.search")}
            leftSection={<IconSearch size={16} aria-hidden />}
            data-search
            w={{ base: "100%", xs: 260 }}
          />
        )}
        {filters.map((filter) => (
          <Select
            key={filter.id}
            aria-label={filter.label}
            placeholder={filter.label}
            data={filter.options}
            value={chosen[filter.id] ?? null}
            onChange={(value) => {
              setChosen({ ...chosen, [filter.id]: value });
              table.setPageIndex(0);
            }}
            clearable
            w={{ base: "calc(50% - 6px)", xs: 170 }}
          />
        ))}
        <Group ml="auto" gap="xs">
          {props.tools}
        </Group>
      </Group>
      {bulk && selected.length > 0 && (
        <Group className={classes.bulk} px="sm" py={8} gap="sm" role="status">
          <Text size="sm" fw={600}>
            {t("table.selected", { count: selected.length })}
          </Text>
          {bulk(
            selected.map((row) => row.original),
            () => setSelection({}),
          )}
        </Group>
      )}
      <Table.ScrollContainer minWidth={0} type="native">
        <Table verticalSpacing={9} horizontalSpacing="md" highlightOnHover={onOpen !== undefined}>
          <Table.Thead>
            <Table.Tr>
              {bulk && (
                <Table.Th w={44}>
                  <Checkbox
                    size="xs"
                    aria-label={t("table.selectAll")}
                    checked={table.getIsAllRowsSelected()}
                    indeterminate={table.getIsSomeRowsSelected()}
                    onChange={table.getToggleAllRowsSelectedHandler()}
                  />
                </Table.Th>
              )}
              {columns.map((column) => (
                <HeadCell key={column.id} column={column} head={table.getColumn(column.id)} />
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <Table.Tr
                key={row.id}
                className={onOpen ? classes.opens : ""}
                onClick={onOpen && (() => onOpen(row.original))}
              >
                {bulk && (
                  <Table.Td onClick={(event) => event.stopPropagation()}>
                    <Checkbox
                      size="xs"
                      aria-label={t("table.select")}
                      checked={row.getIsSelected()}
                      onChange={row.getToggleSelectedHandler()}
                    />
                  </Table.Td>
                )}
                {columns.map((column, place) => (
                  <Table.Td
                    key={column.id}
                    className={classes.cell ?? ""}
                    ta={column.align ?? "left"}
                    {...(column.from && { visibleFrom: column.from })}
                  >
                    {place === 0 && onOpen ? (
                      <button
                        type="button"
                        className={classes.first}
                        onClick={(event) => {
                          event.stopPropagation();
                          onOpen(row.original);
                        }}
                      >
                        {column.cell ? column.cell(row.original) : column.value(row.original)}
                      </button>
                    ) : column.cell ? (
                      column.cell(row.original)
                    ) : (
                      column.value(row.original)
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {found === 0 ? (
        <Empty title={t("table.nothingFound")}>{t("table.nothingFoundHelp")}</Empty>
      ) : (
        <Box px="md" py={10} className={classes.foot}>
          {props.more ? (
            <More found={found} {...props.more} />
          ) : (
            <Pager table={table} found={found} total={rows.length} />
          )}
        </Box>
      )}
    </Paper>
  );
}
