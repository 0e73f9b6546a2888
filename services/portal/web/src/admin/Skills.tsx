/** What every agent can do, as one sheet that is saved at once. */
import {
  ActionIcon,
  Alert,
  Button,
  FileButton,
  Group,
  Paper,
  Text,
  TextInput,
} from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconDownload,
  IconFileUpload,
  IconPlus,
  IconSearch,
  IconTable,
} from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { Link } from "@/app/go";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { toast, toastProblem } from "@/ui/toast";
import { useUnsaved } from "@/ui/unsaved";
import { decoded, parseSheet, parts } from "./common/csv";
import { useAgentConfigs, useFresh, useUsers } from "./common/data";
import { download } from "./common/download";
import { Grid } from "./skills/Grid";
import {
  changedAgents,
  did,
  matrixOf,
  redid,
  skillsOf,
  undid,
  withSkill,
  type History,
  type Matrix,
} from "./skills/matrix";
import { fromSheet, matrixText, type Person, type SheetFault } from "./skills/sheet";
import { SkillName } from "./skills/SkillName";

/** The server takes so many agents at once. */
const AT_ONCE = 500;

export default function Skills() {
  const { t } = useTranslation(["admin", "common"]);
  const agents = useAgentConfigs();
  const users = useUsers();
  const latest = useMemo(() => matrixOf(agents.data ?? []), [agents.data]);
  if (agents.data && agents.data.length > 0) {
    const names = new Map(users.data?.map((user) => [user.user_id, user.username]) ?? []);
    const people = agents.data
      .map(({ agent_id, name }) => ({
        id: agent_id,
        name: name || agent_id,
        username: names.get(agent_id) ?? agent_id,
      }))
      .sort((one, other) => one.name.localeCompare(other.name));
    return <Sheet latest={latest} people={people} />;
  }
  return (
    <Page title={t("common:nav.skills")} lead={t("skills.lead")}>
      {agents.error ? (
        <ErrorNote problem={agents.error} onRetry={() => void agents.refetch()} />
      ) : agents.data ? (
        <Paper className="panel">
          <Empty
            icon={IconTable}
            title={t("skills.none")}
            action={
              <Button component={Link} href="/admin/users">
                {t("skills.toUsers")}
              </Button>
            }
          >
            {t("skills.noneHelp")}
          </Empty>
        </Paper>
      ) : (
        <Rows rows={10} height={36} />
      )}
    </Page>
  );
}

function Sheet({ latest, people }: { latest: Matrix; people: Person[] }) {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const [seen, setSeen] = useState(latest);
  const [saved, setSaved] = useState(latest);
  const [history, setHistory] = useState<History>({ now: latest, past: [], future: [] });
  const [words, setWords] = useState("");
  const [naming, setNaming] = useState(false);
  const [faults, setFaults] = useState<SheetFault[]>([]);
  const matrix = history.now;
  const shown = useMemo(
    () => people.filter((person) => person.name.toLowerCase().includes(words.toLowerCase())),
    [people, words],
  );
  const changed = changedAgents(
    matrix,
    saved,
    people.map((person) => person.id),
  );
  const dirty = changed.length > 0;
  useUnsaved(dirty);
  // What others have saved meanwhile is shown at once, but not over changes made here.
  if (latest !== seen && !dirty && matrix.skills.length === saved.skills.length) {
    setSeen(latest);
    setSaved(latest);
    setHistory({ now: latest, past: [], future: [] });
  }
  const save = useMutation({
    mutationFn: async (sent: Matrix) => {
      for (const part of parts(changed, AT_ONCE))
        await told(
          api.POST("/v1/agents:set-skills", {
            body: {
              agents: part.map((agent_id) => ({ agent_id, skills: skillsOf(sent, agent_id) })),
            },
          }),
        );
    },
    onSuccess: (_, sent) => {
      toast(t("skills.saved", { count: changed.length }));
      setSaved(sent);
      fresh("agents");
    },
  });
  const change = (next: Matrix) => setHistory((before) => did(before, next));
  const bring = async (file: File) => {
    const read = fromSheet(matrix, people, parseSheet(decoded(await file.arrayBuffer())));
    setFaults(read.faults);
    change(read.matrix);
    toast(t("skills.read", { count: read.people }));
  };
  return (
    <Page
      title={t("common:nav.skills")}
      lead={t("skills.lead")}
      actions={
        <>
          <FileButton
            accept=".csv,.tsv,text/csv"
            onChange={(file) => file && void bring(file).catch(toastProblem)}
          >
            {(props) => (
              <Button
                variant="default"
                leftSection={<IconFileUpload size={16} aria-hidden />}
                {...props}
              >
                {t("common:action.import")}
              </Button>
            )}
          </FileButton>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() => download("skills.csv", matrixText(matrix, people))}
          >
            {t("common:action.export")}
          </Button>
          <Button disabled={!dirty} loading={save.isPending} onClick={() => save.mutate(matrix)}>
            {dirty ? t("skills.save", { count: changed.length }) : t("common:action.save")}
          </Button>
        </>
      }
    >
      {save.error && <ErrorNote problem={save.error} />}
      {faults.length > 0 && (
        <Alert
          color="orange"
          variant="light"
          title={t("skills.faults", { count: faults.length })}
          withCloseButton
          closeButtonLabel={t("common:action.close")}
          onClose={() => setFaults([])}
        >
          {faults.slice(0, 8).map((fault) => (
            <Text key={`${fault.row} ${fault.skill}`} size="sm">
              {t(`skills.fault.${fault.kind}`, { ...fault })}
            </Text>
          ))}
        </Alert>
      )}
      <Paper className="panel">
        <Group p="sm" gap="sm">
          <TextInput
            placeholder={t("common:table.search")}
            aria-label={t("common:table.search")}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
            data-search
          />
          <Button
            variant="light"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setNaming(true)}
          >
            {t("skills.add")}
          </Button>
          <Group gap={6} ml="auto">
            <ActionIcon
              aria-label={t("common:action.undo")}
              disabled={history.past.length === 0}
              onClick={() => setHistory(undid)}
            >
              <IconArrowBackUp size={18} />
            </ActionIcon>
            <ActionIcon
              aria-label={t("skills.redo")}
              disabled={history.future.length === 0}
              onClick={() => setHistory(redid)}
            >
              <IconArrowForwardUp size={18} />
            </ActionIcon>
          </Group>
        </Group>
        {matrix.skills.length === 0 ? (
          <Empty icon={IconTable} title={t("skills.noSkill")}>
            {t("skills.noSkillHelp")}
          </Empty>
        ) : (
          <Grid
            matrix={matrix}
            saved={saved}
            people={shown}
            onChange={change}
            onUndo={() => setHistory(undid)}
            onRedo={() => setHistory(redid)}
            onRefused={(count) => toast(t("skills.refused", { count }))}
          />
        )}
      </Paper>
      <Text size="sm" c="dimmed">
        {t("skills.keys")}
      </Text>
      {naming && (
        <SkillName
          title={t("skills.add")}
          first=""
          onClose={() => setNaming(false)}
          onName={(name) => {
            const next = withSkill(matrix, name);
            if (next) change(next);
            return next !== null;
          }}
        />
      )}
    </Page>
  );
}
