/** The stretches of one day. */
import { ActionIcon, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { asEnd, faultsOf, nextStretch, shownEnd, type Stretch } from "./week";

interface Props {
  /** Whose hours these are, for people who hear the page. */
  name: string;
  day: string;
  hours: Stretch[];
  onChange: (hours: Stretch[]) => void;
}

export function DayHours({ name, day, hours, onChange }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const faults = faultsOf(hours);
  const next = nextStretch(hours, day);
  const put = (place: number, change: Partial<Stretch>) =>
    onChange(hours.map((one, at) => (at === place ? { ...one, ...change } : one)));
  return (
    <Stack gap={6}>
      {hours.length === 0 && (
        <Text size="sm" c="dimmed" py={6}>
          {t("hours.closedAllDay")}
        </Text>
      )}
      {hours.map((stretch, place) => {
        const fault = faults[place];
        return (
          <Group key={place} gap="xs" wrap="nowrap" align="flex-start">
            <TextInput
              type="time"
              size="xs"
              aria-label={t("hours.from", { name })}
              value={stretch.from}
              onChange={(event) => put(place, { from: event.currentTarget.value })}
              error={Boolean(fault)}
            />
            <Text size="sm" c="dimmed" pt={4}>
              –
            </Text>
            <TextInput
              type="time"
              size="xs"
              aria-label={t("hours.to", { name })}
              value={shownEnd(stretch.to)}
              onChange={(event) => put(place, { to: asEnd(event.currentTarget.value) })}
              error={fault ? t(`hours.fault.${fault}`) : false}
            />
            <ActionIcon
              aria-label={t("hours.removeStretch", { name })}
              onClick={() => onChange(hours.filter((_, at) => at !== place))}
            >
              <IconX size={16} />
            </ActionIcon>
          </Group>
        );
      })}
      {next && (
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={<IconPlus size={12} aria-hidden />}
          onClick={() => onChange([...hours, next])}
          style={{ alignSelf: "flex-start" }}
          aria-label={t("hours.addTo", { name })}
        >
          {t("hours.add")}
        </Button>
      )}
    </Stack>
  );
}
