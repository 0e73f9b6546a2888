/** Whom a caller accepts at first, and whom after waiting. */
import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Paper,
  Select,
  Stack,
  Text,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/types";
import type { Option } from "@/contacts/people";
import { emptyExpr, exprWords } from "./expr";
import { ExprEditor } from "./ExprEditor";

type Plan = Schema<"acd.v1.Plan">;
type Step = Schema<"acd.v1.PlanStep">;

interface Props {
  plan: Plan;
  onChange: (plan: Plan) => void;
  skills: string[];
  agents: Option[];
  /** The other queues. */
  queues: Option[];
  error?: string | false;
  overflowError?: string | false;
}

export function PlanEditor(props: Props) {
  const { plan, onChange, skills, agents } = props;
  const { t } = useTranslation(["admin", "common"]);
  const nameOf = (id: string) => agents.find((agent) => agent.value === id)?.label ?? id;
  const stepIs = (place: number, next: Partial<Step> | null) =>
    onChange({
      ...plan,
      steps: next
        ? plan.steps.map((step, at) => (at === place ? { ...step, ...next } : step))
        : plan.steps.filter((_, at) => at !== place),
    });
  return (
    <Stack gap="sm">
      {plan.steps.map((step, place) => (
        <Paper key={place} className="panel" p="sm">
          <Stack gap="xs">
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm" fw={560}>
                {t(place === 0 ? "plan.first" : "plan.then", { place: place + 1 })}{" "}
                <Text span size="sm" c="dimmed">
                  {exprWords(step.expr, nameOf)}
                </Text>
              </Text>
              <ActionIcon
                size="sm"
                aria-label={t("plan.removeStep", { place: place + 1 })}
                onClick={() => stepIs(place, null)}
              >
                <IconX size={14} />
              </ActionIcon>
            </Group>
            <ExprEditor
              expr={step.expr ?? emptyExpr("any")}
              onChange={(expr) => stepIs(place, { expr })}
              skills={skills}
              agents={agents}
            />
            <Group gap="sm" align="flex-end">
              <NumberInput
                label={t("plan.for")}
                value={Number(step.for_s)}
                onChange={(for_s) => stepIs(place, { for_s: String(Number(for_s) || 0) })}
                min={1}
                max={86_400}
                suffix={` ${t("common:unit.seconds")}`}
                size="xs"
                w={120}
              />
              <Select
                label={t("plan.skip")}
                data={(["never", "nobody_signed_in", "nobody_ready"] as const).map((value) => ({
                  value,
                  label: t(`plan.skipIf.${value}`),
                }))}
                value={step.skip_if ?? "never"}
                onChange={(skip_if) => skip_if && stepIs(place, { skip_if })}
                allowDeselect={false}
                size="xs"
                w={220}
              />
            </Group>
            {place > 0 && (
              <Checkbox
                size="xs"
                label={t("plan.replaces")}
                checked={step.replaces}
                onChange={(event) => stepIs(place, { replaces: event.currentTarget.checked })}
              />
            )}
          </Stack>
        </Paper>
      ))}
      {props.error && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {props.error}
        </Text>
      )}
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() =>
          onChange({
            ...plan,
            steps: [...plan.steps, { expr: emptyExpr("skill"), for_s: "30", replaces: false }],
          })
        }
        style={{ alignSelf: "flex-start" }}
      >
        {t("plan.add")}
      </Button>
      <Group gap="sm" align="flex-start" grow>
        <Select
          label={t("plan.end")}
          data={(["any", "overflow", "stay"] as const).map((value) => ({
            value,
            label: t(`plan.ends.${value}`),
          }))}
          value={plan.end ?? "any"}
          onChange={(end) => end && onChange({ ...plan, end })}
          allowDeselect={false}
        />
        {plan.end === "overflow" && (
          <Select
            label={t("plan.overflow")}
            data={props.queues}
            value={plan.overflow_queue ?? null}
            onChange={(queue) => onChange({ ...plan, overflow_queue: queue ?? "" })}
            error={props.overflowError}
          />
        )}
      </Group>
    </Stack>
  );
}
