/** One threshold: what is watched, when it raises an alarm, and when the alarm ends. */
import {
  Button,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ask } from "@/ui/Ask";
import { ErrorNote } from "@/ui/notes";
import { toast } from "@/ui/toast";
import { askToLose } from "@/ui/unsaved";
import { HysteresisPicture } from "./HysteresisPicture";
import { THRESHOLDS } from "./ThresholdList";
import {
  faultsOf,
  LONGEST_FOR_S,
  LONGEST_NAME,
  MEASURES,
  newId,
  thresholdOf,
  unitOf,
  withMeasure,
  type Draft,
  type Faults,
  type Measure,
} from "./thresholds";
import { useQueues } from "./useQueues";

/** What the choice of a queue says for "all of them"; no queue has this id. */
const EVERYWHERE = "*";

interface Props {
  first: Draft;
  onDirty: (dirty: boolean) => void;
  onDone: () => void;
}

export function ThresholdForm({ first, onDirty, onDone }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const client = useQueryClient();
  const queues = useQueues();
  const [draft, setDraft] = useState(first);
  const [tried, setTried] = useState(false);
  const change = (next: Draft) => {
    setDraft(next);
    onDirty(true);
  };
  const done = (words: string) => {
    void client.invalidateQueries({ queryKey: THRESHOLDS });
    toast(words);
    onDone();
  };
  const save = useMutation({
    mutationFn: () => {
      const id = draft.id || newId(draft.name, crypto.getRandomValues(new Uint32Array(1)).join(""));
      const { threshold_id, ...body } = thresholdOf(draft, id);
      return told(
        api.PUT("/v1/thresholds/{threshold_id}", { params: { path: { threshold_id } }, body }),
      );
    },
    onSuccess: () => done(t("common:saved")),
  });
  const remove = useMutation({
    mutationFn: () =>
      told(
        api.DELETE("/v1/thresholds/{threshold_id}", {
          params: { path: { threshold_id: draft.id } },
        }),
      ),
    onSuccess: () => done(t("thresholds.removed", { name: first.name })),
  });
  const faults: Faults = faultsOf(draft);
  const said = (field: keyof Faults) => {
    const fault = faults[field];
    // What is merely missing is said once somebody has tried to save.
    if (!fault || (!tried && fault === "missing")) return undefined;
    return t(`thresholds.fault.${fault}`, {
      most: field === "name" ? LONGEST_NAME : LONGEST_FOR_S,
    });
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length === 0) save.mutate();
  };
  const drop = async () => {
    const text = t("thresholds.removeAsk", { name: first.name });
    if (await ask({ text, yes: t("common:action.delete") })) remove.mutate();
  };
  const cancel = async () => {
    if (draft === first || (await askToLose())) onDone();
  };
  const kind = unitOf(draft.measure);
  const unit = kind === "count" ? "" : t(`unit.${kind}`);
  const suffix = unit ? ` ${unit}` : "";
  return (
    <form onSubmit={send} noValidate>
      <Stack gap="md">
        <Title order={3}>{t(first.id ? "thresholds.edit" : "thresholds.add")}</Title>
        {(save.error ?? remove.error) && <ErrorNote problem={save.error ?? remove.error} />}
        <TextInput
          label={t("thresholds.name")}
          description={t("thresholds.nameHelp")}
          value={draft.name}
          onChange={(event) => change({ ...draft, name: event.currentTarget.value })}
          error={said("name")}
          required
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            label={t("thresholds.measure")}
            data={MEASURES.map((each) => ({ value: each, label: t(`measure.${each}`) }))}
            value={draft.measure}
            onChange={(value) => value && change(withMeasure(draft, value as Measure))}
            allowDeselect={false}
          />
          <Select
            label={t("thresholds.queue")}
            data={[
              { value: EVERYWHERE, label: t("alarms.tenant") },
              ...(queues.data ?? []).map((queue) => ({
                value: queue.queue_id,
                label: queue.name || queue.queue_id,
              })),
            ]}
            value={draft.queueId || EVERYWHERE}
            onChange={(value) =>
              change({ ...draft, queueId: !value || value === EVERYWHERE ? "" : value })
            }
            allowDeselect={false}
            searchable
          />
        </SimpleGrid>
        <div>
          <Text size="sm" fw={560} mb={4} id="threshold-direction">
            {t("thresholds.direction")}
          </Text>
          <SegmentedControl
            aria-labelledby="threshold-direction"
            value={draft.direction}
            onChange={(value) => change({ ...draft, direction: value as Draft["direction"] })}
            data={[
              { value: "above", label: t("thresholds.isAbove") },
              { value: "below", label: t("thresholds.isBelow") },
            ]}
          />
        </div>
        <SimpleGrid cols={{ base: 1, xs: 2 }} style={{ alignItems: "start" }}>
          <NumberInput
            label={t(`thresholds.raise.${draft.direction}`)}
            value={draft.raiseAt}
            onChange={(raiseAt) => change({ ...draft, raiseAt })}
            suffix={suffix}
            min={0}
            clampBehavior="none"
            error={said("raiseAt")}
          />
          <NumberInput
            label={t(`thresholds.clear.${draft.direction}`)}
            value={draft.clearAt}
            onChange={(clearAt) => change({ ...draft, clearAt })}
            suffix={suffix}
            min={0}
            clampBehavior="none"
            error={said("clearAt")}
          />
        </SimpleGrid>
        <HysteresisPicture below={draft.direction === "below"} />
        <NumberInput
          label={t("thresholds.for")}
          description={t("thresholds.forHelp")}
          value={draft.forS}
          onChange={(forS) => change({ ...draft, forS })}
          suffix={` ${t("unit.seconds")}`}
          min={0}
          clampBehavior="none"
          allowDecimal={false}
          error={said("forS")}
        />
        <div>
          <Text size="sm" fw={560} mb={4} id="threshold-severity">
            {t("thresholds.severity")}
          </Text>
          <SegmentedControl
            aria-labelledby="threshold-severity"
            value={draft.severity}
            onChange={(value) => change({ ...draft, severity: value as Draft["severity"] })}
            data={(["warning", "critical"] as const).map((value) => ({
              value,
              label: t(`severity.${value}`),
            }))}
          />
        </div>
        <Switch
          label={t("thresholds.active")}
          checked={draft.active}
          onChange={(event) => change({ ...draft, active: event.currentTarget.checked })}
        />
        <Group justify="space-between">
          {first.id ? (
            <Button
              variant="subtle"
              color="red"
              loading={remove.isPending}
              onClick={() => void drop()}
            >
              {t("common:action.delete")}
            </Button>
          ) : (
            <span />
          )}
          <Group gap="xs">
            <Button variant="default" onClick={() => void cancel()}>
              {t("common:action.cancel")}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {t("common:action.save")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
