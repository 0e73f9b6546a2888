/** The text, and what is wrong with it. */
import { Group, Loader, Paper, Skeleton, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ErrorNote } from "@/ui/notes";
import type { Fault, useFaults } from "./data";
import { Faults } from "./Faults";
import type { Jump } from "./JsonEditor";
import { faultSpot, lineOf } from "./place";
import classes from "./Tabs.module.css";

const JsonEditor = lazy(() => import("./JsonEditor"));

interface Props {
  text: string;
  checked: ReturnType<typeof useFaults>;
  queues: readonly string[];
  jump: Jump;
  onJump: (fault: Fault) => void;
  onChange: (text: string) => void;
}

export function JsonTab({ text, checked, queues, jump, onJump, onChange }: Props) {
  const { t } = useTranslation("flows");
  const { faults, checking, problem } = checked;
  return (
    <div className={classes.split}>
      <Paper className={`panel ${classes.tall}`}>
        <Suspense fallback={<Skeleton h="100%" radius="lg" />}>
          <JsonEditor
            text={text}
            label={t("editor")}
            onChange={onChange}
            faults={faults}
            queues={queues}
            jump={jump}
          />
        </Suspense>
      </Paper>
      <Paper className={`panel ${classes.side}`} component="aside" p="md">
        <Group gap={8} mb="sm" role="status">
          {checking ? (
            <Loader size={16} />
          ) : faults.length === 0 ? (
            <IconCircleCheck size={18} color="var(--state-ready)" aria-hidden />
          ) : null}
          <Text size="sm" fw={600}>
            {checking
              ? t("checking")
              : faults.length === 0
                ? t("fine")
                : t("faults", { count: faults.length })}
          </Text>
        </Group>
        {problem && <ErrorNote problem={problem} />}
        {faults.length > 0 && (
          <Faults
            faults={faults}
            lineOf={(fault) => lineOf(text, faultSpot(text, fault).from)}
            onOpen={onJump}
          />
        )}
        <Text size="xs" c="dimmed" mt="md">
          {t("editorHelp")}
        </Text>
      </Paper>
    </div>
  );
}
