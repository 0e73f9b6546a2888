/** An agent's part in routing: queues, skills, and how much at once. */
import {
  ActionIcon,
  Autocomplete,
  Button,
  Fieldset,
  Group,
  MultiSelect,
  NumberInput,
  Stack,
  Text,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Option } from "@/contacts/people";
import { CHANNELS, type Draft, type Skill } from "./model";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  queues: Option[];
  skills: string[];
  error?: string | false;
}

export function RoutingFields({ draft, onChange, queues, skills, error }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const skillIs = (place: number, next: Partial<Skill>) =>
    onChange({
      ...draft,
      skills: draft.skills.map((skill, at) => (at === place ? { ...skill, ...next } : skill)),
    });
  return (
    <Fieldset legend={t("users.routing")}>
      <Stack gap="md">
        <MultiSelect
          label={t("users.queues")}
          description={t("users.queuesHelp")}
          data={queues}
          value={draft.queues}
          onChange={(chosen) => onChange({ ...draft, queues: chosen })}
          searchable
          clearable
        />
        <Stack gap={6}>
          <Text size="sm" fw={560}>
            {t("users.skills")}
          </Text>
          <Text size="xs" c="dimmed" mt={-4}>
            {t("users.skillsHelp")}
          </Text>
          {draft.skills.map((skill, place) => (
            <Group key={place} gap="xs" wrap="nowrap">
              <Autocomplete
                aria-label={t("users.skill")}
                placeholder={t("users.skill")}
                data={skills}
                value={skill.name}
                onChange={(name) => skillIs(place, { name })}
                flex={1}
              />
              <NumberInput
                aria-label={t("users.level")}
                value={skill.level}
                onChange={(level) => skillIs(place, { level: Number(level) || 1 })}
                min={1}
                max={10}
                clampBehavior="strict"
                w={80}
              />
              <ActionIcon
                aria-label={t("users.noSkill", { name: skill.name })}
                onClick={() =>
                  onChange({ ...draft, skills: draft.skills.filter((_, at) => at !== place) })
                }
              >
                <IconX size={16} />
              </ActionIcon>
            </Group>
          ))}
          {error && (
            <Text size="xs" c="var(--mantine-color-error)">
              {error}
            </Text>
          )}
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() =>
              onChange({ ...draft, skills: [...draft.skills, { name: "", level: 5 }] })
            }
            style={{ alignSelf: "flex-start" }}
          >
            {t("users.addSkill")}
          </Button>
        </Stack>
        <Stack gap={6}>
          <Text size="sm" fw={560}>
            {t("users.capacity")}
          </Text>
          <Group gap="xs" grow>
            {CHANNELS.map((channel) => (
              <NumberInput
                key={channel}
                label={t(`users.channel.${channel}`)}
                value={draft.capacities[channel]}
                onChange={(limit) =>
                  onChange({
                    ...draft,
                    capacities: { ...draft.capacities, [channel]: Number(limit) || 0 },
                  })
                }
                min={0}
                max={channel === "voice" ? 1 : 20}
                clampBehavior="strict"
              />
            ))}
          </Group>
        </Stack>
      </Stack>
    </Fieldset>
  );
}
