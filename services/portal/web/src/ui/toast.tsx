/** Short news at the edge of the page. */
import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import i18next from "i18next";
import { inWords } from "./words";

/** It worked. */
export function toast(message: string): void {
  notifications.show({ message, color: "teal", autoClose: 4000, withBorder: true });
}

/** It did not, with what to do. */
export function toastProblem(thrown: unknown): void {
  toastProblemOf(thrown, i18next.t("error.title"));
}

/** It did not, under a title of its own. */
export function toastProblemOf(thrown: unknown, title: string): void {
  notifications.show({
    title,
    message: inWords(thrown),
    color: "red",
    autoClose: 9000,
    withBorder: true,
  });
}

/** It worked, and can be taken back for ten seconds. */
export function toastUndo(message: string, undo: () => void): void {
  const id = `undo-${Date.now()}`;
  const take = () => {
    notifications.hide(id);
    undo();
  };
  notifications.show({
    id,
    color: "teal",
    autoClose: 10_000,
    withBorder: true,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button size="compact-sm" variant="light" onClick={take}>
          {i18next.t("action.undo")}
        </Button>
      </Group>
    ),
  });
}

interface Through {
  through: number;
  all: number;
}

/** It goes on: seen from `soonMs` on until `end`, and stopped by who has seen enough. */
export function toastProgress(
  now: () => Through,
  stop: () => void,
  soonMs: number,
): { end: () => void } {
  const id = `progress-${Date.now()}`;
  let shown = false;
  const show = () => {
    const data = {
      id,
      color: "blue",
      autoClose: false as const,
      withBorder: true,
      withCloseButton: false,
      message: <Going {...now()} onStop={stop} />,
    };
    if (shown) notifications.update(data);
    else notifications.show(data);
    shown = true;
  };
  let timer = setTimeout(function again() {
    show();
    timer = setTimeout(again, 250);
  }, soonMs);
  const end = () => {
    clearTimeout(timer);
    if (shown) notifications.hide(id);
  };
  return { end };
}

function Going({ through, all, onStop }: Through & { onStop: () => void }) {
  const words = i18next.t("progress", { through, all });
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" className="tabular">
          {words}
        </Text>
        <Button size="compact-sm" variant="light" onClick={onStop}>
          {i18next.t("action.stop")}
        </Button>
      </Group>
      <Progress value={(100 * through) / Math.max(1, all)} aria-label={words} />
    </Stack>
  );
}
