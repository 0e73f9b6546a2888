/** One queue: what it says itself, and what it inherits. */
import { Accordion, Button, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Option } from "@/contacts/people";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import type { QueueConfig } from "../common/data";
import { IdField } from "../common/IdField";
import { slug } from "../common/slug";
import { Advanced } from "./Advanced";
import { Inherit } from "./Inherit";
import { PlanEditor } from "./PlanEditor";
import { faultsOf, inheritedWrapUp, newQueue, PLATFORM, type Defaults } from "./rules";
import { Seconds } from "./Seconds";
import { StrategyPicker } from "./StrategyPicker";
import { useWrapUpWords } from "./words";
import { WrapUpFields } from "./WrapUpFields";

interface Props {
  /** null: a new one. */
  old: QueueConfig | null;
  defaults: Defaults | undefined;
  queues: Option[];
  skills: string[];
  agents: Option[];
  onClose: () => void;
  onSaved: () => void;
  onAgents: (queue: QueueConfig) => void;
  onRemove: (queue: QueueConfig) => void;
}

export function QueuePanel(props: Props) {
  const { old, defaults, onClose, onSaved } = props;
  const { t } = useTranslation(["admin", "common"]);
  const [first] = useState(() => old ?? newQueue());
  const [draft, setDraft] = useState(first);
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const wrapUpWords = useWrapUpWords();
  const id = old?.queue_id ?? (typed || slug(draft.name));
  const queue = { ...draft, queue_id: id };
  const taken = props.queues.map((each) => each.value);
  const faults = faultsOf(queue, !old, taken);
  const wrong = (name: (typeof faults)[number]) =>
    tried && faults.includes(name) && t(`queues.fault.${name}`);
  const put = (next: Partial<QueueConfig>) => setDraft({ ...draft, ...next });
  const save = useMutation({
    mutationFn: () => {
      const { queue_id, ...body } = queue;
      return told(api.PUT("/v1/queues/{queue_id}", { params: { path: { queue_id } }, body }));
    },
    onSuccess: () => {
      toast(t("common:saved"));
      onSaved();
    },
  });
  const wrapUp = inheritedWrapUp(defaults);
  return (
    <SidePanel
      opened
      title={old ? old.name || old.queue_id : t("queues.new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (faults.length === 0) save.mutate();
      }}
      saving={save.isPending}
      problem={save.error}
      dirty={draft !== first}
      size={620}
      aside={
        old && (
          <>
            <Button variant="subtle" color="red" onClick={() => props.onRemove(old)}>
              {t("common:action.remove")}
            </Button>
            <Button variant="subtle" onClick={() => props.onAgents(old)}>
              {t("queues.agents")}
            </Button>
          </>
        )
      }
    >
      <TextInput
        label={t("queues.name")}
        value={draft.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
        error={wrong("name")}
        maxLength={100}
        required
        data-autofocus
      />
      <IdField
        id={id}
        onChange={setTyped}
        fresh={!old}
        error={draft.name.trim() ? wrong("id") || wrong("taken") : false}
      />
      <Switch
        label={t("queues.open")}
        description={t("queues.openHelp")}
        checked={draft.open ?? true}
        onChange={(event) => put({ open: event.currentTarget.checked })}
      />
      <Inherit
        label={t("queues.strategies")}
        help={t("queues.strategiesHelp")}
        set={draft.strategies.length > 0}
        inherited={t("strategy.longest_idle.name")}
        from="platform"
        onSet={() => put({ strategies: [...PLATFORM.strategies] })}
        onUnset={() => put({ strategies: [] })}
      >
        <StrategyPicker
          value={draft.strategies}
          onChange={(strategies) => put({ strategies })}
          error={wrong("random")}
        />
      </Inherit>
      <Inherit
        label={t("queues.ring")}
        help={t("queues.ringHelp")}
        set={draft.ring_timeout_ms !== undefined}
        inherited={`${PLATFORM.ring_timeout_ms / 1000} ${t("common:unit.seconds")}`}
        from="platform"
        onSet={() => put({ ring_timeout_ms: String(PLATFORM.ring_timeout_ms) })}
        onUnset={() => put({ ring_timeout_ms: undefined })}
      >
        <Seconds
          bare
          label={t("queues.ring")}
          value={draft.ring_timeout_ms}
          onChange={(ring_timeout_ms) => put({ ring_timeout_ms })}
          most={300}
        />
      </Inherit>
      <Inherit
        label={t("queues.wrapUp")}
        help={t("queues.wrapUpHelp")}
        set={draft.wrap_up !== undefined}
        inherited={wrapUpWords(wrapUp.value)}
        from={wrapUp.from}
        onSet={() => put({ wrap_up: { ...wrapUp.value } })}
        onUnset={() => put({ wrap_up: undefined })}
      >
        <WrapUpFields
          value={draft.wrap_up ?? wrapUp.value}
          onChange={(wrap_up) => put({ wrap_up })}
          error={wrong("wrapUp")}
        />
      </Inherit>
      <Inherit
        label={t("plan.title")}
        help={t("plan.help")}
        set={draft.plan !== undefined}
        inherited={t("expr.any")}
        from="platform"
        onSet={() => put({ plan: { steps: [], end: "any" } })}
        onUnset={() => put({ plan: undefined })}
      >
        <PlanEditor
          plan={draft.plan ?? { steps: [] }}
          onChange={(plan) => put({ plan })}
          skills={props.skills}
          agents={props.agents}
          queues={props.queues.filter((each) => each.value !== id)}
          error={wrong("plan")}
          overflowError={wrong("overflow")}
        />
      </Inherit>
      <Accordion variant="contained">
        <Accordion.Item value="advanced">
          <Accordion.Control>
            <Text fw={560}>{t("queues.advanced")}</Text>
            <Text size="xs" c="dimmed">
              {t("queues.advancedHelp")}
            </Text>
          </Accordion.Control>
          <Accordion.Panel>
            <Stack>
              <Advanced draft={draft} put={put} defaults={defaults} />
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </SidePanel>
  );
}
