/** Short news at the edge of the page. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import i18next from "i18next";
import { inWords } from "./words";

/** It worked. */
export function toast(message: string): void {
  notifications.show({ message, color: "teal", autoClose: 4000, withBorder: true });
}

/** It did not, with what to do. */
export function toastProblem(thrown: unknown): void {
  notifications.show({
    title: i18next.t("error.title"),
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
