/** What is wrong with a flow; each fault leads to its node. */
import { Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Fault } from "./data";
import { useWords } from "./useWords";
import classes from "./Faults.module.css";

interface Props {
  faults: Fault[];
  /** Where it stands in the text, from 1. */
  lineOf?: (fault: Fault) => number;
  onOpen?: (fault: Fault) => void;
}

export function Faults({ faults, lineOf, onOpen }: Props) {
  const { t } = useTranslation("flows");
  const { faultWords } = useWords();
  return (
    <Stack gap={6} component="ul" className={classes.list}>
      {faults.map((fault, at) => {
        const inside = (
          <Group gap={8} wrap="nowrap" align="flex-start">
            <IconAlertTriangle size={16} aria-hidden className={classes.icon} />
            <div>
              <Text size="sm" fw={600}>
                {onOpen ? `${fault.node || t("whole")}: ` : ""}
                {faultWords(fault)}
              </Text>
              {lineOf && (
                <Text size="xs" c="dimmed">
                  {t("line", { line: lineOf(fault) })}
                </Text>
              )}
              <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                {fault.message}
              </Text>
            </div>
          </Group>
        );
        return (
          <li key={at}>
            {onOpen ? (
              <UnstyledButton className={classes.fault} onClick={() => onOpen(fault)}>
                {inside}
              </UnstyledButton>
            ) : (
              inside
            )}
          </li>
        );
      })}
    </Stack>
  );
}
