/** Rules of a queue that most people never need. */
import { Checkbox, NumberInput, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { QueueConfig } from "../common/data";
import { Inherit } from "./Inherit";
import { Percent } from "./Percent";
import { RingRules } from "./RingRules";
import { CONDITIONS, PLATFORM, type Defaults, type EmptyRule } from "./rules";
import { Seconds } from "./Seconds";

interface Props {
  draft: QueueConfig;
  put: (next: Partial<QueueConfig>) => void;
  defaults: Defaults | undefined;
}

export function Advanced({ draft, put, defaults }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const s = t("common:unit.seconds");
  const scoring = draft.scoring ?? PLATFORM.scoring;
  const level = defaults?.service_level_percent ?? String(PLATFORM.service_level_percent);
  const whole = (next: string | number) => String(Math.round(Number(next) || 0));
  return (
    <Stack>
      <Inherit
        label={t("queues.maxWaiting")}
        help={t("queues.maxWaitingHelp")}
        set={draft.max_waiting !== undefined}
        inherited={String(PLATFORM.max_waiting)}
        from="platform"
        onSet={() => put({ max_waiting: String(PLATFORM.max_waiting) })}
        onUnset={() => put({ max_waiting: undefined })}
      >
        <NumberInput
          aria-label={t("queues.maxWaiting")}
          value={Number(draft.max_waiting)}
          onChange={(next) => put({ max_waiting: whole(next) })}
          min={1}
        />
      </Inherit>
      <Inherit
        label={t("queues.maxWait")}
        help={t("queues.maxWaitHelp")}
        set={draft.max_wait_ms !== undefined}
        inherited={t("settings.noCap")}
        from="platform"
        onSet={() => put({ max_wait_ms: "600000" })}
        onUnset={() => put({ max_wait_ms: undefined })}
      >
        <Seconds
          bare
          label={t("queues.maxWait")}
          value={draft.max_wait_ms}
          onChange={(max_wait_ms) => put({ max_wait_ms })}
        />
      </Inherit>
      <EmptyFields
        label={t("queues.joinEmpty")}
        rule={draft.join_when_empty}
        onChange={(join_when_empty) => put({ join_when_empty })}
      />
      <EmptyFields
        label={t("queues.leaveEmpty")}
        rule={draft.leave_when_empty}
        onChange={(leave_when_empty) => put({ leave_when_empty })}
      />
      <Inherit
        label={t("queues.level")}
        help={t("queues.levelHelp")}
        set={draft.service_level_percent !== undefined}
        inherited={`${level} %`}
        from={defaults?.service_level_percent ? "tenant" : "platform"}
        onSet={() => put({ service_level_percent: level })}
        onUnset={() => put({ service_level_percent: undefined })}
      >
        <Percent
          label={t("queues.level")}
          value={draft.service_level_percent}
          onChange={(service_level_percent) => put({ service_level_percent })}
        />
      </Inherit>
      <Inherit
        label={t("queues.assumed")}
        help={t("queues.assumedHelp")}
        set={draft.assumed_handle_s !== undefined}
        inherited={t("queues.notAnnounced")}
        from="platform"
        onSet={() => put({ assumed_handle_s: "180" })}
        onUnset={() => put({ assumed_handle_s: undefined })}
      >
        <NumberInput
          aria-label={t("queues.assumed")}
          value={Number(draft.assumed_handle_s)}
          onChange={(next) => put({ assumed_handle_s: whole(next) })}
          min={1}
          suffix={` ${s}`}
        />
      </Inherit>
      <Inherit
        label={t("queues.scoring")}
        help={t("queues.scoringHelp")}
        set={draft.scoring !== undefined}
        inherited={t("queues.scoringUsual")}
        from="platform"
        onSet={() => put({ scoring: { ...PLATFORM.scoring } })}
        onUnset={() => put({ scoring: undefined })}
      >
        <SimpleGrid cols={2} spacing="sm">
          {(["priority_weight", "accel", "return_credit"] as const).map((name) => (
            <NumberInput
              key={name}
              label={t(`queues.score.${name}`)}
              value={Number(scoring[name])}
              onChange={(next) => put({ scoring: { ...scoring, [name]: whole(next) } })}
              min={0}
            />
          ))}
          <Seconds
            label={t("queues.score.wait_cap_ms")}
            value={scoring.wait_cap_ms}
            onChange={(wait_cap_ms) => put({ scoring: { ...scoring, wait_cap_ms } })}
          />
        </SimpleGrid>
      </Inherit>
      <Text size="sm" fw={560}>
        {t("ring.title")}
      </Text>
      <RingRules
        rules={draft.ring_rules}
        onChange={(ring_rules) => put({ ring_rules })}
        defaults={defaults}
      />
    </Stack>
  );
}

interface EmptyProps {
  label: string;
  rule: EmptyRule | undefined;
  onChange: (rule: EmptyRule | undefined) => void;
}

function EmptyFields({ label, rule, onChange }: EmptyProps) {
  const { t } = useTranslation("admin");
  return (
    <Stack gap="xs">
      <Switch
        label={label}
        checked={rule !== undefined}
        onChange={(event) =>
          onChange(event.currentTarget.checked ? { absent: [...PLATFORM.absent] } : undefined)
        }
      />
      {rule && (
        <Checkbox.Group
          label={t("queues.absent")}
          value={rule.absent}
          onChange={(absent) => onChange({ absent })}
          size="xs"
          pl="xl"
        >
          <Stack gap={4} mt={4}>
            {CONDITIONS.map((condition) => (
              <Checkbox
                key={condition}
                size="xs"
                value={condition}
                label={t(`queues.condition.${condition}`)}
              />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
    </Stack>
  );
}
