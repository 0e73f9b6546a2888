/** Many at once from a file: columns are mapped, everything wrong is shown by cell, then it is done. */
import { Alert, Button, Group, Progress, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { CsvPreview } from "./CsvPreview";
import {
  decoded,
  guessed,
  mapped,
  parseSheet,
  sheetText,
  type Cells,
  type Fault,
  type Field,
  type Mapping,
  type Sheet,
} from "./csv";
import { download } from "./download";
import { Drop } from "./Drop";

/** More rows than anybody reads; a larger file is split by hand. */
const MOST = 5_000;

/** What became of one row. */
export interface Made {
  ok: boolean;
  /** Why not, or what the person must be told. */
  note: string;
}

interface Props {
  title: string;
  help: string;
  fields: Field[];
  /** Names the template and the result. */
  name: string;
  /** Everything that is wrong, row by row. */
  check: (rows: Cells[]) => Promise<Fault[][]>;
  /** Makes the rows; `progress` is told how many are through. */
  send: (rows: Cells[], progress: (through: number) => void) => Promise<Made[]>;
  /** The head of `Made.note` in the result file. */
  noteLabel: string;
  onClose: () => void;
  /** Some were made. */
  onMade: () => void;
}

export function CsvImport(props: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [file, setFile] = useState<{ name: string; sheet: Sheet } | null>(null);
  const [mapping, setMapping] = useState<Mapping>({});
  const [fault, setFault] = useState("");
  const [through, setThrough] = useState(0);
  const rows = useMemo(() => (file ? mapped(file.sheet, mapping) : []), [file, mapping]);
  const missing = props.fields.filter((field) => field.required && (mapping[field.id] ?? -1) < 0);
  const checked = useQuery({
    queryKey: ["admin", "check", props.name, file?.name, rows],
    queryFn: () => props.check(rows),
    enabled: file !== null && missing.length === 0,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const faults = checked.data ?? [];
  const good = rows.filter((_, row) => checked.data && (faults[row] ?? []).length === 0);
  const send = useMutation({
    mutationFn: () => props.send(good, setThrough),
    onSettled: props.onMade,
  });
  const read = async (chosen: File) => {
    const sheet = parseSheet(decoded(await chosen.arrayBuffer()));
    send.reset();
    if (sheet.rows.length === 0) return setFault(t("csv.empty"));
    if (sheet.rows.length > MOST) return setFault(t("csv.tooMany", { most: MOST }));
    setFault("");
    setMapping(guessed(sheet.headers, props.fields));
    setFile({ name: chosen.name, sheet });
  };
  const template = () =>
    download(
      `${props.name}-template.csv`,
      sheetText([props.fields.map((f) => f.id), props.fields.map((f) => f.example)]),
    );
  const result = (made: Made[]) =>
    download(
      `${props.name}-result.csv`,
      sheetText([
        [...props.fields.map((f) => f.id), t("csv.outcome"), props.noteLabel],
        ...good.map((row, place) => [
          ...props.fields.map((f) => (f.id === "password" ? "" : (row[f.id] ?? ""))),
          t(made[place]?.ok ? "csv.made" : "csv.notMade"),
          made[place]?.note ?? "",
        ]),
      ]),
    );
  const unsaved = (send.data?.some((made) => made.ok && made.note) ?? false) || send.isPending;
  return (
    <SidePanel opened title={props.title} onClose={props.onClose} size={960} dirty={unsaved}>
      <Text size="sm" c="dimmed">
        {props.help}
      </Text>
      {!send.data && !send.isPending && (
        <Drop
          accept=".csv,.tsv,.txt,text/csv"
          label={file?.name ?? t("csv.drop")}
          help={t("csv.dropHelp")}
          onFile={(chosen) => void read(chosen)}
        />
      )}
      {fault && (
        <Alert color="red" variant="light" role="alert">
          {fault}
        </Alert>
      )}
      {!file && (
        <Group>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={template}
          >
            {t("csv.template")}
          </Button>
        </Group>
      )}
      {file && !send.data && !send.isPending && (
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
          {props.fields.map((field) => (
            <Select
              key={field.id}
              label={field.label}
              required={field.required ?? false}
              placeholder={t("csv.noColumn")}
              data={file.sheet.headers.map((head, place) => ({
                value: String(place),
                label: head || t("csv.column", { place: place + 1 }),
              }))}
              value={(mapping[field.id] ?? -1) < 0 ? null : String(mapping[field.id])}
              onChange={(place) =>
                setMapping({ ...mapping, [field.id]: place === null ? -1 : Number(place) })
              }
              clearable
              error={missing.includes(field) && t("csv.needed")}
            />
          ))}
        </SimpleGrid>
      )}
      {checked.isFetching && <Rows rows={5} />}
      {checked.error && (
        <ErrorNote problem={checked.error} onRetry={() => void checked.refetch()} />
      )}
      {send.error && <ErrorNote problem={send.error} />}
      {checked.data && !send.data && !send.isPending && (
        <>
          <Group justify="space-between">
            <Text role="status" fw={560}>
              {t("csv.found", { good: good.length, bad: rows.length - good.length })}
            </Text>
            <Button onClick={() => send.mutate()} disabled={good.length === 0}>
              {t("csv.import", { count: good.length })}
            </Button>
          </Group>
          <CsvPreview fields={props.fields} rows={rows} faults={faults} />
        </>
      )}
      {send.isPending && (
        <Stack gap={6} role="status">
          <Text>{t("csv.going", { through, all: good.length })}</Text>
          <Progress
            value={(100 * through) / Math.max(1, good.length)}
            aria-label={t("csv.going", { through, all: good.length })}
          />
        </Stack>
      )}
      {send.data && (
        <Done made={send.data} onResult={() => result(send.data)} onClose={props.onClose} />
      )}
    </SidePanel>
  );
}

function Done(props: { made: Made[]; onResult: () => void; onClose: () => void }) {
  const { t } = useTranslation(["admin", "common"]);
  const made = props.made.filter((each) => each.ok).length;
  const not = props.made.length - made;
  return (
    <Alert color={not > 0 ? "orange" : "teal"} variant="light" role="status">
      <Stack align="flex-start">
        <Text fw={560}>{t("csv.done", { made, not })}</Text>
        <Text size="sm">{t("csv.doneHelp")}</Text>
        <Group gap="xs">
          <Button leftSection={<IconDownload size={16} aria-hidden />} onClick={props.onResult}>
            {t("csv.result")}
          </Button>
          <Button variant="default" onClick={props.onClose}>
            {t("common:action.done")}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
