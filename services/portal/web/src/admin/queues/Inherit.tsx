/** A decision that is inherited until it is made here. */
import { Anchor, Badge, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Source } from "./rules";

interface Props {
  label: string;
  help?: string;
  /** True: it is made here. */
  set: boolean;
  /** What holds otherwise, in words. */
  inherited: string;
  from: Source;
  onSet: () => void;
  onUnset: () => void;
  children: ReactNode;
}

export function Inherit(props: Props) {
  const { t } = useTranslation("admin");
  return (
    <Stack gap={4}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm" fw={560}>
          {props.label}
        </Text>
        <Anchor
          component="button"
          type="button"
          size="sm"
          onClick={props.set ? props.onUnset : props.onSet}
          aria-label={t(props.set ? "inherit.unsetOf" : "inherit.setOf", { label: props.label })}
          style={{ whiteSpace: "nowrap" }}
        >
          {t(props.set ? "inherit.unset" : "inherit.set")}
        </Anchor>
      </Group>
      {props.help && (
        <Text size="xs" c="dimmed">
          {props.help}
        </Text>
      )}
      {props.set ? (
        props.children
      ) : (
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" c="dimmed">
            {props.inherited}
          </Text>
          <Badge color="gray" style={{ flexShrink: 0 }}>
            {t(`inherit.${props.from}`)}
          </Badge>
        </Group>
      )}
    </Stack>
  );
}
