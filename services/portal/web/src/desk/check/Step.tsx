/** One step of the device check: its mark, its name, and what it asks. */
import { Loader, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCircleDashed } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "../Desk.module.css";

export type StepState = "waiting" | "busy" | "done" | "failed";

const MARKS = {
  waiting: { color: "gray", mark: <IconCircleDashed size={18} aria-hidden /> },
  busy: { color: "bell", mark: <Loader size={14} aria-hidden /> },
  done: { color: "teal", mark: <IconCheck size={18} aria-hidden /> },
  failed: { color: "red", mark: <IconAlertTriangle size={18} aria-hidden /> },
};

interface Props {
  name: string;
  state: StepState;
  /** What came out, or what to do; read out when it changes. */
  words: ReactNode;
  children?: ReactNode;
}

export function Step({ name, state, words, children }: Props) {
  const { t } = useTranslation("desk");
  const { color, mark } = MARKS[state];
  return (
    <section className={classes.step} aria-label={name}>
      <ThemeIcon color={color} variant="light" radius="xl" size={28}>
        {mark}
      </ThemeIcon>
      <Stack gap="xs">
        <div>
          <Title order={3}>{name}</Title>
          <Text size="sm" c={state === "failed" ? "var(--state-lost)" : "dimmed"} role="status">
            {state === "done" ? `${t("check.done")} ` : ""}
            {words}
          </Text>
        </div>
        {children}
      </Stack>
    </section>
  );
}
