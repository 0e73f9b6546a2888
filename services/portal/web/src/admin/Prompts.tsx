/** What callers hear, by name. */
import { Badge, Text } from "@mantine/core";
import { IconMicrophone2 } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { length, when } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Named, NewButton, RemoveButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { removeAll } from "./common/bulk";
import { useFresh, usePrompts } from "./common/data";
import { PromptPanel, type Prompt } from "./prompts/PromptPanel";

const SOURCES = ["none", "spoken", "recorded"] as const;
const COLORS: Record<string, string> = { none: "orange", spoken: "bell", recorded: "teal" };

export default function Prompts() {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const found = usePrompts();
  const [open, setOpen] = useState<Prompt | "new" | null>(null);
  const sourceOf = (row: Prompt) => SOURCES.find((source) => source === row.source) ?? "none";
  const remove = (chosen: Prompt[], clear: () => void) =>
    removeAll(
      chosen,
      t("prompts.sure", { count: chosen.length, name: chosen[0]?.name }),
      ({ prompt_id }) =>
        told(api.DELETE("/v1/prompts/{prompt_id}", { params: { path: { prompt_id } } })),
      () => {
        clear();
        fresh("prompts");
      },
    );
  const columns: Column<Prompt>[] = [
    {
      id: "name",
      title: t("prompts.name"),
      value: (row) => `${row.name} ${row.prompt_id}`,
      cell: (row) => <Named name={row.name} id={row.prompt_id} />,
    },
    {
      id: "text",
      title: t("prompts.text"),
      value: (row) => row.text,
      cell: (row) => (
        <Text size="sm" maw={360} truncate>
          {row.text || "–"}
        </Text>
      ),
      from: "md",
    },
    { id: "language", title: t("prompts.language"), value: (row) => row.language, from: "lg" },
    {
      id: "source",
      title: t("prompts.sound"),
      value: (row) => t(`prompts.is.${sourceOf(row)}`),
      cell: (row) => (
        <Badge color={COLORS[row.source] ?? "gray"}>{t(`prompts.is.${sourceOf(row)}`)}</Badge>
      ),
    },
    {
      id: "length",
      title: t("prompts.length"),
      value: (row) => ms(row.duration_ms),
      cell: (row) => (
        <span className="tabular">{row.sha256 ? length(ms(row.duration_ms)) : "–"}</span>
      ),
      align: "right",
      from: "sm",
    },
    {
      id: "used",
      title: t("hours.usedBy"),
      value: (row) => row.used_by.join(", ") || t("hours.unused"),
      from: "md",
    },
    {
      id: "changed",
      title: t("prompts.changed"),
      value: (row) => ms(row.changed_at_ms),
      cell: (row) => when(ms(row.changed_at_ms)),
      from: "lg",
      align: "right",
    },
  ];
  const create = <NewButton onClick={() => setOpen("new")}>{t("prompts.new")}</NewButton>;
  return (
    <Page
      title={t("common:nav.prompts")}
      lead={t("prompts.lead")}
      actions={(found.data?.length ?? 0) > 0 && create}
    >
      <DataTable
        label={t("common:nav.prompts")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.prompt_id}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={setOpen}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "source",
            label: t("prompts.sound"),
            options: SOURCES.map((value) => ({ value, label: t(`prompts.is.${value}`) })),
            matches: (row, source) => row.source === source,
          },
        ]}
        empty={
          <Empty icon={IconMicrophone2} title={t("prompts.none")} action={create}>
            {t("prompts.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => <RemoveButton onClick={() => void remove(chosen, clear)} />}
      />
      {open && (
        <PromptPanel
          key={open === "new" ? "" : open.prompt_id}
          old={open === "new" ? null : open}
          taken={found.data?.map((one) => one.prompt_id) ?? []}
          onClose={() => setOpen(null)}
          onKept={() => fresh("prompts")}
          onRemove={(one) => void remove([one], () => setOpen(null))}
        />
      )}
    </Page>
  );
}
