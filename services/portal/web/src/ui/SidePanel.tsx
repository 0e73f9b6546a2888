/** A form or details at the side of a list; it asks before changes are lost. */
import { Button, Drawer, Group, ScrollArea, Stack } from "@mantine/core";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useIsAsking } from "./Ask";
import { ErrorNote } from "./notes";
import classes from "./SidePanel.module.css";
import { askToLose, useUnsaved } from "./unsaved";

interface Props {
  opened: boolean;
  title: ReactNode;
  onClose: () => void;
  /** Makes it a form: what happens when it is sent. */
  onSave?: () => void;
  saving?: boolean;
  /** What the server said against it. */
  problem?: unknown;
  /** True: there are changes; closing asks first. */
  dirty?: boolean;
  saveLabel?: string;
  /** At the left of the buttons, for example to remove. */
  aside?: ReactNode;
  size?: string | number;
  children: ReactNode;
}

/** Whoever opened it is back at what opened it once it is gone: most panels go with their state. */
function useWayBack(): void {
  const [from] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      setTimeout(() => {
        const lost = document.activeElement === document.body;
        if (lost && from instanceof HTMLElement) from.focus({ preventScroll: true });
      });
    },
    [from],
  );
}

export function SidePanel(props: Props) {
  const { t } = useTranslation();
  const asking = useIsAsking();
  useWayBack();
  // What is being saved may lead to another page by itself.
  useUnsaved(props.opened && (props.dirty ?? false) && !props.saving);
  const close = async () => {
    if (!props.dirty || (await askToLose())) props.onClose();
  };
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    props.onSave?.();
    // Once what is wrong is marked, the person is led to the first of it.
    setTimeout(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const body = (
    <Stack gap="md" pb="md">
      {props.children}
    </Stack>
  );
  const problem = props.problem ? <ErrorNote problem={props.problem} /> : null;
  return (
    <Drawer
      opened={props.opened}
      onClose={() => void close()}
      title={props.title}
      position="right"
      closeOnEscape={!asking}
      size={props.size ?? 480}
      scrollAreaComponent={ScrollArea.Autosize}
      closeButtonProps={{ "aria-label": t("action.close") }}
      styles={{ title: { fontWeight: 620, fontSize: "1.1rem" } }}
    >
      {props.onSave ? (
        <form onSubmit={send} noValidate>
          {body}
          <Stack gap="sm" className={classes.foot}>
            {problem}
            <Group justify="space-between">
              <Group gap="xs">{props.aside}</Group>
              <Group gap="xs" ml="auto">
                <Button variant="default" onClick={() => void close()}>
                  {t("action.cancel")}
                </Button>
                <Button type="submit" loading={props.saving ?? false}>
                  {props.saveLabel ?? t("action.save")}
                </Button>
              </Group>
            </Group>
          </Stack>
        </form>
      ) : (
        <>
          {problem}
          {body}
        </>
      )}
    </Drawer>
  );
}
