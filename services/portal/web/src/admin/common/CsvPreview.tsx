/** The rows of a file, with what is wrong said at the cell. */
import { Group, Text } from "@mantine/core";
import { IconAlertCircle, IconCircleCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { DataTable, type Column } from "@/ui/DataTable";
import type { Cells, Fault, Field } from "./csv";

interface Numbered {
  row: number;
  cells: Cells;
  faults: Fault[];
}

interface Props {
  fields: Field[];
  rows: Cells[];
  faults: Fault[][];
}

export function CsvPreview({ fields, rows, faults }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const numbered = rows.map((cells, place) => ({
    row: place + 1,
    cells,
    faults: faults[place] ?? [],
  }));
  const columns: Column<Numbered>[] = [
    {
      id: "row",
      title: t("csv.row"),
      value: (row) => row.row,
      cell: (row) => (
        <Group gap={4} wrap="nowrap">
          {row.faults.length > 0 ? (
            <IconAlertCircle size={16} color="var(--state-lost)" aria-label={t("csv.bad")} />
          ) : (
            <IconCircleCheck size={16} color="var(--state-ready)" aria-label={t("csv.good")} />
          )}
          <span className="tabular">{row.row}</span>
        </Group>
      ),
    },
    ...fields.map((field): Column<Numbered> => ({
      id: field.id,
      title: field.label,
      value: (row) => row.cells[field.id] ?? "",
      cell: (row) => <Cell field={field} row={row} />,
    })),
  ];
  return (
    <DataTable
      label={t("csv.preview")}
      columns={columns}
      rows={numbered}
      rowKey={(row) => String(row.row)}
      filters={[
        {
          id: "state",
          label: t("csv.state"),
          options: [
            { value: "bad", label: t("csv.bad") },
            { value: "good", label: t("csv.good") },
          ],
          matches: (row, chosen) => row.faults.length > 0 === (chosen === "bad"),
        },
      ]}
      empty={null}
    />
  );
}

function Cell({ field, row }: { field: Field; row: Numbered }) {
  const first = field.required && row.faults.some((fault) => fault.field === "");
  const mine = row.faults.filter((fault) => fault.field === field.id || (first && !fault.field));
  const text = row.cells[field.id] ?? "";
  return (
    <>
      <Text size="sm">{field.id === "password" && text ? "••••••••" : text}</Text>
      {mine.map((fault) => (
        <Text key={fault.message} size="xs" c="var(--state-lost)">
          {fault.message}
        </Text>
      ))}
    </>
  );
}
