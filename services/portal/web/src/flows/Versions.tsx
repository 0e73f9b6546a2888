/** Every version: look at one, compare two, publish any of them. */
import { Button, Group, Paper, Select, Stack, Text, Title } from "@mantine/core";
import { IconArrowBackUp, IconEye, IconUpload } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { useText, useVersions, type FlowVersion } from "./data";
import { DiffView } from "./DiffView";
import { Standing } from "./Standing";

const JsonEditor = lazy(() => import("./JsonEditor"));
const WORKING = "working";

interface Props {
  id: string;
  /** What is being written; null: nothing. */
  working: string | null;
  published: number;
  onPublish: (version: number) => void;
}

export function Versions({ id, working, published, onPublish }: Props) {
  const { t } = useTranslation(["flows", "common"]);
  const versions = useVersions(id);
  const [viewed, setViewed] = useState(0);
  const columns: Column<FlowVersion>[] = [
    {
      id: "version",
      title: t("versions.one"),
      value: (row) => row.version,
      cell: (row) => (
        <span style={{ whiteSpace: "nowrap" }}>{t("version", { version: row.version })}</span>
      ),
    },
    {
      id: "changed",
      title: t("changed"),
      value: (row) => ms(row.created_at_ms),
      cell: (row) => when(ms(row.created_at_ms)),
      from: "sm",
    },
    {
      id: "published",
      title: t("state"),
      value: (row) => (row.published ? 1 : 0),
      cell: (row) =>
        row.published && <Standing bare published={row.version} newest={row.version} />,
    },
    {
      id: "act",
      title: "",
      value: () => "",
      sort: false,
      align: "right",
      cell: (row) =>
        !row.published && (
          <Button
            size="compact-sm"
            variant="light"
            leftSection={
              row.version < published ? (
                <IconArrowBackUp size={14} aria-hidden />
              ) : (
                <IconUpload size={14} aria-hidden />
              )
            }
            onClick={(event) => {
              event.stopPropagation();
              onPublish(row.version);
            }}
          >
            {t(row.version < published ? "rollBack" : "publish")}
          </Button>
        ),
    },
  ];
  return (
    <Stack gap="lg">
      <Text size="sm" c="dimmed">
        {t("versions.lead")}
      </Text>
      <DataTable
        label={t("tab.versions")}
        columns={columns}
        rows={versions.data}
        rowKey={(row) => String(row.version)}
        problem={versions.error}
        onRetry={() => void versions.refetch()}
        onOpen={(row) => setViewed(row.version)}
        searchable={false}
        empty={<Empty title={t("missing")} />}
      />
      <Compare id={id} working={working} versions={versions.data ?? []} published={published} />
      <SidePanel
        opened={viewed > 0}
        title={
          <Group gap={8}>
            <IconEye size={18} aria-hidden />
            {t("version", { version: viewed })}
          </Group>
        }
        onClose={() => setViewed(0)}
        size={760}
      >
        {viewed > 0 && <One id={id} version={viewed} />}
      </SidePanel>
    </Stack>
  );
}

function One({ id, version }: { id: string; version: number }) {
  const { t } = useTranslation("flows");
  const { data, error } = useText(id, version);
  if (error) return <ErrorNote problem={error} />;
  if (data === undefined) return <Rows />;
  return (
    <Suspense fallback={<Rows />}>
      <JsonEditor text={data} label={t("version", { version })} />
    </Suspense>
  );
}

interface CompareProps {
  id: string;
  working: string | null;
  versions: FlowVersion[];
  published: number;
}

function Compare({ id, working, versions, published }: CompareProps) {
  const { t } = useTranslation("flows");
  const newest = versions[0]?.version ?? 0;
  const usual = published && published < newest ? published : working ? newest : newest - 1;
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const before = Number(from ?? usual);
  const after = to ?? (working ? WORKING : String(newest));
  const older = useText(id, before);
  const newer = useText(id, after === WORKING ? 0 : Number(after));
  if (!working && versions.length < 2) return null;
  const options = versions.map(({ version }) => ({
    value: String(version),
    label: t("version", { version }),
  }));
  const text = after === WORKING ? (working ?? "") : newer.data;
  const problem = older.error ?? newer.error;
  return (
    <Paper className="panel" component="section">
      <Group p="md" gap="md" align="flex-end">
        <Title order={2} fz="md" mr="auto">
          {t("versions.compare")}
        </Title>
        <Select
          label={t("versions.older")}
          data={options}
          value={String(before)}
          onChange={setFrom}
          allowDeselect={false}
          w={170}
        />
        <Select
          label={t("versions.newer")}
          data={working ? [{ value: WORKING, label: t("versions.working") }, ...options] : options}
          value={after}
          onChange={setTo}
          allowDeselect={false}
          w={210}
        />
      </Group>
      {problem ? (
        <ErrorNote problem={problem} />
      ) : older.data === undefined || text === undefined ? (
        <Rows rows={4} height={20} />
      ) : (
        <DiffView before={older.data} after={text} />
      )}
    </Paper>
  );
}
