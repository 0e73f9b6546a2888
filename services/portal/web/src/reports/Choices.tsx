/** What a report is about: time, rows, queues, agents, the threshold, and whether it is compared. */
import { Group, MultiSelect, NumberInput, Paper, Select, Stack, Switch } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useAgentOptions, useQueueOptions, withChosen } from "@/contacts/people";
import { HALF } from "@/ui/half";
import { RangePicker } from "./RangePicker";
import { GROUPINGS, type ReportState } from "./state";

/** What the server takes for service levels when nothing else is said, in seconds. */
const USUAL_THRESHOLD_S = 20;

interface Props {
  state: ReportState;
  change: (changes: Record<string, string | readonly string[] | null>) => void;
}

export function Choices({ state, change }: Props) {
  const { t } = useTranslation(["reports", "common"]);
  const queues = useQueueOptions();
  const agents = useAgentOptions();
  const any = (chosen: string[]) => (chosen.length > 0 ? "" : t("common:table.all"));
  return (
    <Paper className="panel" p="md" component="search">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <RangePicker choice={state.choice} range={state.range} onChange={change} />
          <Switch
            label={t("choose.compare")}
            checked={state.compare}
            onChange={(event) => change({ compare: event.currentTarget.checked ? "1" : null })}
          />
        </Group>
        <Group gap="sm" align="flex-end">
          <Select
            label={t("choose.by")}
            data={GROUPINGS.map((by) => ({ value: by, label: t(`by.${by}`) }))}
            value={state.by}
            onChange={(by) => change({ by })}
            allowDeselect={false}
            w={{ base: HALF, xs: 150 }}
          />
          <MultiSelect
            label={t("choose.queues")}
            placeholder={any(state.queues)}
            data={withChosen(queues, state.queues)}
            value={state.queues}
            onChange={(queue) => change({ queue })}
            searchable
            clearable
            w={{ base: HALF, xs: "auto" }}
            miw={{ base: 0, xs: 180 }}
            maw={360}
          />
          <MultiSelect
            label={t("choose.agents")}
            placeholder={any(state.agents)}
            data={withChosen(agents, state.agents)}
            value={state.agents}
            onChange={(agent) => change({ agent })}
            searchable
            clearable
            w={{ base: HALF, xs: "auto" }}
            miw={{ base: 0, xs: 180 }}
            maw={360}
          />
          <NumberInput
            label={t("choose.threshold")}
            defaultValue={state.thresholdS || USUAL_THRESHOLD_S}
            onBlur={(event) => {
              const seconds = Number.parseInt(event.currentTarget.value, 10);
              const usual = !(seconds > 0) || seconds === USUAL_THRESHOLD_S;
              change({ threshold: usual ? null : String(seconds) });
            }}
            key={state.thresholdS}
            min={1}
            max={86_400}
            clampBehavior="strict"
            suffix={` ${t("common:unit.seconds")}`}
            w={{ base: HALF, xs: 150 }}
          />
        </Group>
      </Stack>
    </Paper>
  );
}
