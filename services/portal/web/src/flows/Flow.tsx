/** One flow: its drawing, its text, a way to try it, and its versions. */
import { Alert, Badge, Button, Group, Tabs, Text } from "@mantine/core";
import {
  IconArrowBackUp,
  IconCode,
  IconDeviceFloppy,
  IconGitCompare,
  IconPhonePlus,
  IconPlayerPlay,
  IconRoute,
  IconUpload,
} from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNumbers, useQueueConfigs } from "@/admin/common/data";
import { Link, useParams, useSearchParams } from "@/app/go";
import { useShortcuts } from "@/app/shortcuts";
import { ask } from "@/ui/Ask";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { toast } from "@/ui/toast";
import { useFaults, usePut, useText, useVersions, type Fault } from "./data";
import { DrawingTab } from "./DrawingTab";
import type { Jump } from "./JsonEditor";
import { JsonTab } from "./JsonTab";
import { flowIn } from "./model";
import { Simulate } from "./Simulate";
import { Standing } from "./Standing";
import { useDraft } from "./useDraft";
import { usePublish } from "./usePublish";
import { Versions } from "./Versions";
import classes from "./Tabs.module.css";

const TABS = [
  { key: "drawing", icon: IconRoute },
  { key: "json", icon: IconCode },
  { key: "simulate", icon: IconPlayerPlay },
  { key: "versions", icon: IconGitCompare },
] as const;

export default function FlowPage() {
  const { id = "" } = useParams();
  return <One key={id} id={id} />;
}

function One({ id }: { id: string }) {
  const { t } = useTranslation(["flows", "common"]);
  const versions = useVersions(id);
  const newest = versions.data?.[0]?.version ?? 0;
  const saved = useText(id, newest);
  const back = { to: "/admin/flows", label: t("toList") };
  const draft = useDraft(id, saved.data, newest);
  const problem = versions.error ?? saved.error;
  if (versions.data && newest === 0)
    return (
      <Page title={id} back={back}>
        <Empty icon={IconRoute} title={t("missing")}>
          {t("missingHelp")}
        </Empty>
      </Page>
    );
  if (draft.text === undefined || !versions.data)
    return (
      <Page title={id} back={back}>
        {problem ? (
          <ErrorNote
            problem={problem}
            onRetry={() => void Promise.all([versions.refetch(), saved.refetch()])}
          />
        ) : (
          <Rows rows={8} height={56} />
        )}
      </Page>
    );
  const published = versions.data.find((one) => one.published)?.version ?? 0;
  return <Loaded id={id} newest={newest} published={published} draft={draft} text={draft.text} />;
}

interface LoadedProps {
  id: string;
  newest: number;
  published: number;
  text: string;
  draft: ReturnType<typeof useDraft>;
}

function Loaded({ id, newest, published, text, draft }: LoadedProps) {
  const { t } = useTranslation(["flows", "common"]);
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((one) => one.key === search.get("tab"))?.key ?? "drawing";
  const show = (next: string) =>
    setSearch(next === "drawing" ? {} : { tab: next }, { replace: true });
  const [selected, setSelected] = useState("");
  const [jump, setJump] = useState<Jump>({ node: "", turn: 0 });
  const numbers = useNumbers();
  const queues = useQueueConfigs();
  const checked = useFaults(text);
  const { publish, busy } = usePublish(id, published);
  const put = usePut(id, (done) => {
    draft.forget();
    toast(t("savedAs", { version: done.version }));
  });
  const flow = useMemo(() => flowIn(text), [text]);
  const queueIds = useMemo(() => (queues.data ?? []).map((one) => one.queue_id), [queues.data]);
  const blocked = checked.faults.length > 0;
  const save = () => {
    if (draft.dirty && !blocked && !put.isPending) put.mutate(text);
  };
  useShortcuts([
    { keys: "ctrl+s", label: t("save"), group: t("common:nav.flows"), run: save, always: true },
  ]);
  const toJson = (node: string, fault?: Fault) => {
    setJump({ node, fault, turn: jump.turn + 1 });
    show("json");
  };
  const discard = async () => {
    const said = t("discardAsk", { version: draft.from });
    if (await ask({ text: said, yes: t("discard") })) draft.forget();
  };
  const leads = numbers.data?.some((one) => one.flow_id === id);
  const actions = (
    <>
      {draft.dirty && (
        <Button
          variant="default"
          leftSection={<IconArrowBackUp size={16} aria-hidden />}
          onClick={() => void discard()}
        >
          {t("discard")}
        </Button>
      )}
      {draft.dirty ? (
        <Button
          leftSection={<IconDeviceFloppy size={16} aria-hidden />}
          onClick={save}
          loading={put.isPending}
          disabled={blocked}
          {...(blocked && { title: t("faultsHelp") })}
        >
          {t("save")}
        </Button>
      ) : (
        newest > published && (
          <Button
            leftSection={<IconUpload size={16} aria-hidden />}
            onClick={() => void publish(newest)}
            loading={busy}
          >
            {t("publishVersion", { version: newest })}
          </Button>
        )
      )}
    </>
  );
  return (
    <Page
      title={flow?.name || id}
      back={{ to: "/admin/flows", label: t("toList") }}
      lead={
        <Group gap="sm">
          <Standing published={published} newest={newest} />
          {draft.dirty && (
            <Badge variant="light" color="orange" title={t("unsavedHelp")}>
              {t("unsaved")}
            </Badge>
          )}
          {blocked && (
            <Badge variant="light" color="red" component="button" onClick={() => show("json")}>
              {t("faults", { count: checked.faults.length })}
            </Badge>
          )}
          {leads === false && published > 0 && (
            <Text component={Link} href="/admin/numbers" size="sm" c="bell">
              <IconPhonePlus size={15} aria-hidden style={{ verticalAlign: -2 }} />{" "}
              {t("pointNumber")}
            </Text>
          )}
        </Group>
      }
      actions={actions}
    >
      {put.error && <ErrorNote problem={put.error} />}
      {draft.from > 0 && draft.from < newest && (
        <Alert color="orange" variant="light">
          {t("stale", { newest, version: draft.from })}
        </Alert>
      )}
      <Tabs value={tab} onChange={(next) => next && show(next)} keepMounted={false}>
        <Tabs.List mb="md" className={classes.tabs}>
          {TABS.map(({ key, icon: Shown }) => (
            <Tabs.Tab key={key} value={key} leftSection={<Shown size={16} aria-hidden />}>
              {t(`tab.${key}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="drawing">
          <DrawingTab
            flow={flow}
            faults={checked.faults}
            selected={selected}
            onSelect={setSelected}
            onJson={toJson}
          />
        </Tabs.Panel>
        <Tabs.Panel value="json">
          <JsonTab
            text={text}
            checked={checked}
            queues={queueIds}
            jump={jump}
            onJump={(fault) => toJson(fault.node, fault)}
            onChange={draft.write}
          />
        </Tabs.Panel>
        <Tabs.Panel value="simulate">
          <Simulate id={id} text={text} flow={flow} blocked={blocked} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <Versions
            id={id}
            working={draft.dirty ? text : null}
            published={published}
            onPublish={(version) => void publish(version)}
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
