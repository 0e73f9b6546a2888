/** How agents are ordered: the first that tells two apart decides. */
import { ActionIcon, Group, List, Select, Stack, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { moved } from "../common/order";
import { STRATEGIES } from "./rules";

type Strategy = (typeof STRATEGIES)[number];

interface Props {
  value: string[];
  onChange: (value: string[]) => void;
  error?: string | false;
}

export function StrategyPicker({ value, onChange, error }: Props) {
  const { t } = useTranslation("admin");
  const known = (one: string): one is Strategy => (STRATEGIES as readonly string[]).includes(one);
  const nameOf = (one: string) => (known(one) ? t(`strategy.${one}.name`) : one);
  const left = STRATEGIES.filter((one) => !value.includes(one));
  return (
    <Stack gap={6}>
      <List type="ordered" listStyleType="none" withPadding={false}>
        {value.map((one, place) => (
          <List.Item
            key={one}
            styles={{ itemWrapper: { width: "100%" }, itemLabel: { width: "100%" } }}
          >
            <Group justify="space-between" wrap="nowrap" py={4}>
              <div>
                <Text size="sm" fw={560}>
                  {`${place + 1}. ${nameOf(one)}`}
                </Text>
                <Text size="xs" c="dimmed">
                  {known(one) && t(`strategy.${one}.help`)}
                </Text>
              </div>
              <Group gap={0} wrap="nowrap">
                <ActionIcon
                  aria-label={t("order.up", { name: nameOf(one) })}
                  disabled={place === 0}
                  onClick={() => onChange(moved(value, place, place - 1))}
                >
                  <IconArrowUp size={16} />
                </ActionIcon>
                <ActionIcon
                  aria-label={t("order.down", { name: nameOf(one) })}
                  disabled={place === value.length - 1}
                  onClick={() => onChange(moved(value, place, place + 1))}
                >
                  <IconArrowDown size={16} />
                </ActionIcon>
                <ActionIcon
                  aria-label={t("strategy.remove", { name: nameOf(one) })}
                  onClick={() => onChange(value.filter((each) => each !== one))}
                >
                  <IconX size={16} />
                </ActionIcon>
              </Group>
            </Group>
          </List.Item>
        ))}
      </List>
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
      {left.length > 0 && (
        <Select
          aria-label={t("strategy.add")}
          placeholder={t("strategy.add")}
          data={left.map((one) => ({ value: one, label: nameOf(one) }))}
          value={null}
          onChange={(one) => one && onChange([...value, one])}
          size="xs"
          w={260}
        />
      )}
    </Stack>
  );
}
