/** Takes a report away as CSV or for Excel. */
import { Button, Menu } from "@mantine/core";
import { IconDownload, IconFileSpreadsheet, IconFileText } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { zone } from "@/i18n/format";
import { toastProblem } from "@/ui/toast";
import { csvOf, download, xlsxOf, type Sheet } from "./exported";
import { dateText, type Range } from "./ranges";

export function ExportMenu({ range, sheet }: { range: Range; sheet: (() => Sheet) | null }) {
  const { t } = useTranslation(["reports", "common"]);
  const dates = [dateText(range.fromMs, zone()), dateText(range.toMs - 1, zone())];
  const name = `carillon-${[...new Set(dates)].join("-to-")}`;
  const save = useMutation({
    mutationFn: async (kind: "csv" | "xlsx") => {
      if (!sheet) return;
      const made = sheet();
      const file =
        kind === "csv"
          ? new Blob([csvOf(made)], { type: "text/csv;charset=utf-8" })
          : await xlsxOf(made);
      download(`${name}.${kind}`, file);
    },
    onError: toastProblem,
  });
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          disabled={!sheet}
          loading={save.isPending}
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          {t("common:action.export")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconFileText size={16} aria-hidden />}
          onClick={() => save.mutate("csv")}
        >
          {t("export.csv")}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileSpreadsheet size={16} aria-hidden />}
          onClick={() => save.mutate("xlsx")}
        >
          {t("export.xlsx")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
