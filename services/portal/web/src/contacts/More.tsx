/** Says that a list is not all of it, and reads on. */
import { Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { count } from "@/i18n/format";
import type { Records } from "./records";

export function MoreNote<Row>({ records }: { records: Records<Row> }) {
  const { t } = useTranslation(["contacts", "common"]);
  if (!records.more || !records.rows) return null;
  return (
    <Group gap="sm" justify="center" py="sm">
      <Text size="sm" c="dimmed" role="status">
        {t("list.first", { shown: count(records.rows.length) })}
      </Text>
      <Button variant="default" size="compact-sm" loading={records.busy} onClick={records.load}>
        {t("common:table.more")}
      </Button>
    </Group>
  );
}
