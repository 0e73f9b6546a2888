/** One figure with its name; a button when there is something behind it. */
import { Group, Paper, Text, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Tile.module.css";

interface Props {
  label: string;
  value: ReactNode;
  /** Below the value, for example the same over the whole day. */
  note?: ReactNode;
  tone?: "plain" | "good" | "warn" | "bad";
  icon?: ReactNode;
  /** Opens what the figure was made of. */
  onOpen?: () => void;
  /** What opening it shows, for people who hear the page. */
  openLabel?: string;
}

export function Tile({ label, value, note, tone = "plain", icon, onOpen, openLabel }: Props) {
  const inside = (
    <>
      <Group gap={6} wrap="nowrap">
        {icon}
        <Text size="sm" c="dimmed" fw={530}>
          {label}
        </Text>
      </Group>
      <div className={`${classes.value} tabular`} data-tone={tone}>
        {value}
      </div>
      {note && (
        <Text size="xs" c="dimmed" component="div">
          {note}
        </Text>
      )}
    </>
  );
  if (!onOpen) return <Paper className={`panel ${classes.tile}`}>{inside}</Paper>;
  return (
    <UnstyledButton
      className={`panel ${classes.tile} ${classes.opens}`}
      onClick={onOpen}
      title={openLabel}
    >
      {inside}
    </UnstyledButton>
  );
}
