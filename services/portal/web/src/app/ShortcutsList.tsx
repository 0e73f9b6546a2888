/** What keys do on this page. */
import { Group, Kbd, Modal, Stack, Switch, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import { chooseSingleKeys, isSingle, singleKeys } from "./keys";
import { listed, registered } from "./shortcuts";

export function ShortcutsList() {
  const { t } = useTranslation();
  const opened = useStore(listed);
  const all = useStore(registered);
  const single = useStore(singleKeys);
  const groups = [...new Set(all.map((each) => each.group))];
  return (
    <Modal
      opened={opened}
      onClose={() => listed.set(false)}
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
