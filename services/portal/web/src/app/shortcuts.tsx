/** Keys that do things, and the list of them that `?` shows. */
import { Group, Kbd, Modal, Stack, Switch, Text, Title } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { store, useStore } from "@/api/store";
import { chooseSingleKeys, isSingle, pressed, singleKeys } from "./keys";

/** One key and what it does. */
export interface Shortcut {
  /** For example `a`, `shift+h`, `alt+1`, `?`. */
  keys: string;
  label: string;
  /** The heading that it stands under. */
  group: string;
  run: () => void;
  /** True: also while something is typed. */
  always?: boolean;
}

const registered = store<readonly Shortcut[]>([]);
const shown = store(false);

/** Shows the list. */
export function showShortcuts(): void {
  shown.set(true);
}

/** Makes keys work, and lists them, while the component is there. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  const names = shortcuts.map((each) => `${each.keys}\n${each.label}\n${each.group}`).join("\r");
  useEffect(() => {
    const mine = latest.current.map((each, place) => ({
      ...each,
      run: () => latest.current[place]?.run(),
    }));
    registered.set([...registered.get(), ...mine]);
    return () => registered.set(registered.get().filter((each) => !mine.includes(each)));
  }, [names]);
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Listens to the keyboard and draws the list; once in the application. */
export function Shortcuts() {
  const { t } = useTranslation();
  const opened = useStore(shown);
  const all = useStore(registered);
  const single = useStore(singleKeys);
  useShortcuts([
    { keys: "?", label: t("shortcuts.help"), group: t("shortcuts.general"), run: showShortcuts },
    {
      keys: "/",
      label: t("shortcuts.search"),
      group: t("shortcuts.general"),
      run: () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    },
  ]);
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return;
      const name = pressed(event);
      // What was registered last is nearest to what the person looks at.
      const hit = registered.get().findLast((each) => each.keys === name);
      if (!hit || (typing(event.target) && !hit.always)) return;
      if (isSingle(name) && !singleKeys.get()) return;
      event.preventDefault();
      hit.run();
    };
    document.addEventListener("keydown", down);
    return () => document.removeEventListener("keydown", down);
  }, []);
  const groups = [...new Set(all.map((each) => each.group))];
  return (
    <Modal
      opened={opened}
      onClose={() => shown.set(false)}
      title={t("shortcuts.title")}
      size="md"
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Stack gap="lg">
        <Switch
          checked={single}
          onChange={(event) => chooseSingleKeys(event.currentTarget.checked)}
          label={t("shortcuts.single")}
          description={t(single ? "shortcuts.singleOn" : "shortcuts.singleOff")}
        />
        {groups.map((group) => (
          <Stack key={group} gap={6}>
            <Title order={3}>{group}</Title>
            {all
              .filter((each) => each.group === group)
              .map((each) => (
                <Group key={each.keys + each.label} justify="space-between" wrap="nowrap">
                  <Text size="sm" c={single || !isSingle(each.keys) ? undefined : "dimmed"}>
                    {each.label}
                  </Text>
                  <Group gap={4} wrap="nowrap">
                    {each.keys.split("+").map((key) => (
                      <Kbd key={key}>{key.length === 1 ? key.toUpperCase() : key}</Kbd>
                    ))}
                  </Group>
                </Group>
              ))}
          </Stack>
        ))}
      </Stack>
    </Modal>
  );
}
