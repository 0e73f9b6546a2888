/** A short list inside a page, which the server pages. */
import { Button, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote, Rows } from "./notes";
import type { Paged } from "./paged";

interface Props<Row> {
  found: Paged<Row>;
  /** What is said when there is none. */
  none: string;
  /** How many are likely, and how high each is (px), while they are fetched. */
  likely: { rows: number; height: number };
  /** One row. */
  children: (row: Row) => ReactNode;
}

/** See `Props`. */
export function PagedRows<Row>({ found, none, likely, children }: Props<Row>) {
  const { t } = useTranslation();
  const { rows, problem, onRetry, more } = found;
  if (!rows)
    return problem ? <ErrorNote problem={problem} onRetry={onRetry} /> : <Rows {...likely} />;
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {none}
      </Text>
    );
  return (
    <Stack gap={6}>
      {rows.map(children)}
      {more.any && (
        <Button
          variant="default"
          size="compact-sm"
          w="fit-content"
          loading={more.busy}
          onClick={more.load}
        >
          {t("table.more")}
        </Button>
      )}
    </Stack>
  );
}
