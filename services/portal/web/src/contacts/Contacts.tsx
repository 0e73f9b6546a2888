/** Contacts of a stretch of time: stays in queues, calls that never queued, and agents' time. */
import { Alert, Button, Group, MultiSelect, Paper, Stack, Tabs, Text } from "@mantine/core";
import { IconClock, IconFilter, IconPhone, IconStack2, type Icon } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { KINDS, type Kind } from "@/reports/behind";
import { useKpiWords } from "@/reports/kpiWords";
import { RangePicker } from "@/reports/RangePicker";
import { useAddress } from "@/reports/useAddress";
import { HALF } from "@/ui/half";
import { Page } from "@/ui/Page";
import { askedIn, type Asked } from "./asked";
import { Calls } from "./Calls";
import { Entries } from "./Entries";
import { Intervals } from "./Intervals";
import { CALL_OUTCOMES, EXITS } from "./Outcome";
import { useAgentOptions, useQueueOptions, withChosen } from "./people";

const ICONS: Record<Kind, Icon> = {
  entries: IconStack2,
  calls: IconPhone,
  intervals: IconClock,
};

export default function Contacts() {
  const { t } = useTranslation(["contacts", "common"]);
  const [params, change] = useAddress();
  const asked = askedIn(params, Date.now());
  return (
    <Page title={t("list.title")} lead={t("list.lead")}>
      <Paper className="panel" p="md" component="search">
        <Stack gap="sm">
          <RangePicker choice={asked.choice} range={asked.range} onChange={change} minutes />
          <Choices asked={asked} change={change} />
        </Stack>
      </Paper>
      {asked.behind && <BehindNote asked={asked} change={change} />}
      <Tabs value={asked.tab} onChange={(tab) => change({ tab: tab === "entries" ? null : tab })}>
        <Tabs.List mb="md">
          {KINDS.map((tab) => {
            const Shown = ICONS[tab];
            return (
              <Tabs.Tab key={tab} value={tab} leftSection={<Shown size={16} aria-hidden />}>
                {t(`tab.${tab}`)}
              </Tabs.Tab>
            );
          })}
        </Tabs.List>
        <Tabs.Panel value={asked.tab}>
          {asked.tab === "entries" && <Entries asked={asked} />}
          {asked.tab === "calls" && <Calls asked={asked} />}
          {asked.tab === "intervals" && <Intervals asked={asked} />}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

interface PartProps {
  asked: Asked;
  change: (changes: Record<string, string | string[] | null>) => void;
}

function Choices({ asked, change }: PartProps) {
  const { t } = useTranslation(["contacts", "common"]);
  const queues = withChosen(useQueueOptions(), asked.queues);
  const agents = withChosen(useAgentOptions(), asked.agents);
  if (asked.tab === "calls")
    return (
      <Group gap="sm" align="flex-start">
        <Choice
          label={t("list.outcome")}
          data={CALL_OUTCOMES.map((each) => ({ value: each, label: t(`callOutcome.${each}`) }))}
          value={asked.outcomes}
          onChange={(outcomes) => change({ outcomes: outcomes.join(",") })}
        />
      </Group>
    );
  return (
    <Group gap="sm" align="flex-start">
      <Choice
        label={t("list.queue")}
        data={queues}
        value={asked.queues}
        onChange={(queue) => change({ queue })}
      />
      <Choice
        label={t("list.agent")}
        data={agents}
        value={asked.agents}
        onChange={(agent) => change({ agent })}
      />
      {asked.tab === "entries" && (
        <Choice
          label={t("list.outcome")}
          data={EXITS.map((exit) => ({ value: exit, label: t(`exit.${exit}`) }))}
          value={asked.exits}
          onChange={(exits) => change({ exits: exits.join(",") })}
        />
      )}
    </Group>
  );
}

interface ChoiceProps {
  label: string;
  data: { value: string; label: string }[];
  value: string[];
  onChange: (value: string[]) => void;
}

/** Any of several; none chosen: all. */
function Choice({ value, ...rest }: ChoiceProps) {
  const { t } = useTranslation();
  return (
    <MultiSelect
      {...rest}
      value={value}
      placeholder={value.length > 0 ? "" : t("table.all")}
      searchable
      clearable
      w={{ base: HALF, xs: "auto" }}
      miw={{ base: 0, xs: 200 }}
      maw={420}
    />
  );
}

/** Which figure the list stands behind, and the way to all contacts. */
function BehindNote({ asked, change }: PartProps) {
  const { t } = useTranslation(["contacts", "common"]);
  const words = useKpiWords();
  const kpis = useQuery({
    queryKey: ["kpis"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => told(api.GET("/v1/kpis")),
  });
  const [kpi = "", variant = ""] = asked.behind.split(":");
  const found = kpis.data?.kpis.find(
    (each) => each.kpi === kpi && (variant ? each.variant === variant : each.default_variant),
  );
  return (
    <Alert icon={<IconFilter aria-hidden />} variant="light" color="bell">
      <Group justify="space-between" gap="sm">
        <Stack gap={2}>
          <Text size="sm" fw={560}>
            {t(asked.denominator ? "behind.below" : "behind.above", {
              figure: found ? words.full(found) : asked.behind,
            })}
          </Text>
          {found && (
            <Text size="sm" c="dimmed">
              {words.formula(found)}
            </Text>
          )}
        </Stack>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => change({ behind: null, denominator: null, threshold: null })}
        >
          {t("behind.all")}
        </Button>
      </Group>
    </Alert>
  );
}
