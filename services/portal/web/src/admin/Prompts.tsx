/** What callers hear, by name. */
import { Badge, Button, Text } from "@mantine/core";
import { IconMicrophone2, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { length, when } from "@/i18n/format";
import { ask } from "@/ui/Ask";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { each, tell } from "./common/bulk";
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
  const remove = async (chosen: Prompt[], clear: () => void) => {
    const text = t("prompts.sure", { count: chosen.length, name: chosen[0]?.name });
    if (!(await ask({ text, yes: t("common:action.remove") }))) return;
    tell(
      await each(chosen, ({ prompt_id }) =>
        told(api.DELETE("/v1/prompts/{prompt_id}", { params: { path: { prompt_id } } })),
      ),
    );
    clear();
    fresh("prompts");
  };
  const columns: Column<Prompt>[] = [
    {
      id: "name",
      title: t("prompts.name"),
      value: (row) => `${row.name} ${row.prompt_id}`,
      cell: (row) => (
        <>
          {row.name || row.prompt_id}
          <Text size="xs" c="dimmed">
            {row.prompt_id}
          </Text>
        </>
      ),
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
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen("new")}>
      {t("prompts.new")}
    </Button>
  );
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
        bulk={(chosen, clear) => (
          <Button
            size="compact-sm"
            variant="light"
            color="red"
            onClick={() => void remove(chosen, clear)}
          >
            {t("common:action.remove")}
          </Button>
        )}
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
