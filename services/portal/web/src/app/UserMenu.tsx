/** Who is signed in, how the page looks, and the way out. */
import {
  Avatar,
  Menu,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  Group,
  Box,
  VisuallyHidden,
} from "@mantine/core";
import {
  IconApi,
  IconCheck,
  IconDeviceDesktop,
  IconKeyboard,
  IconLanguage,
  IconLetterA,
  IconLock,
  IconLogout,
  IconMoon,
  IconRoute,
  IconSun,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { desk } from "@/api/boards";
import { useStore } from "@/api/store";
import type { Me } from "@/api/types";
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES } from "@/i18n";
import { tourIsOpen } from "@/tour/open";
import { ask } from "@/ui/Ask";
import { mayLeave } from "@/ui/unsaved";
import { chooseSingleKeys, singleKeys } from "./keys";
import { signOut } from "./leaving";
import { changingPassword } from "./password";
import { showShortcuts } from "./shortcuts";

const SCHEMES = [
  { value: "light", icon: IconSun },
  { value: "dark", icon: IconMoon },
  { value: "auto", icon: IconDeviceDesktop },
] as const;

export function UserMenu({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const single = useStore(singleKeys);
  const leave = async () => {
    const busy = (desk.get()?.work.length ?? 0) > 0;
    if (busy && !(await ask({ text: t("me.signOutCall"), yes: t("me.signOut") }))) return;
    if (!(await mayLeave())) return;
    await signOut();
  };
  const mark = (on: boolean) => (on ? <IconCheck size={16} aria-hidden /> : null);
  return (
    <Menu position="bottom-end" width={250} shadow="md">
      <Menu.Target>
        <UnstyledButton>
          <VisuallyHidden>{t("me.menu")}</VisuallyHidden>
          <Group gap={8} wrap="nowrap">
            <Avatar name={me.name} color="bell" radius="xl" size={34} alt="" />
            <Box visibleFrom="md" maw={260}>
              <Text size="sm" fw={600} lh={1.2} truncate>
                {me.name}
              </Text>
              <Text size="xs" c="dimmed" lh={1.2} truncate>
                {me.roles.map((role) => t(`role.${role as "agent"}`)).join(" · ")}
              </Text>
            </Box>
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("me.theme")}</Menu.Label>
        {SCHEMES.map(({ value, icon: Shown }) => (
          <Menu.Item
            key={value}
            leftSection={<Shown size={16} aria-hidden />}
            rightSection={mark(colorScheme === value)}
            onClick={() => setColorScheme(value)}
            closeMenuOnClick={false}
          >
            {t(`me.${value}`)}
          </Menu.Item>
        ))}
        <Menu.Label>{t("me.language")}</Menu.Label>
        {LANGUAGES.map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            leftSection={<IconLanguage size={16} aria-hidden />}
            rightSection={mark(i18n.language === language)}
            onClick={() => void chooseLanguage(language)}
          >
            {LANGUAGE_NAMES[language]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={showShortcuts}>
          {t("me.shortcuts")}
        </Menu.Item>
        <Menu.Item
          role="menuitemcheckbox"
          aria-checked={single}
          leftSection={<IconLetterA size={16} aria-hidden />}
          rightSection={mark(single)}
          onClick={() => chooseSingleKeys(!single)}
          closeMenuOnClick={false}
        >
          {t("shortcuts.single")}
        </Menu.Item>
        <Menu.Item leftSection={<IconRoute size={16} />} onClick={() => tourIsOpen.set(true)}>
          {t("me.tour")}
        </Menu.Item>
        <Menu.Item leftSection={<IconApi size={16} />} component="a" href="/docs" target="_blank">
          {t("me.api")}
        </Menu.Item>
        {me.kind === "user" && (
          <Menu.Item
            leftSection={<IconLock size={16} />}
            onClick={() => changingPassword.set(true)}
          >
            {t("me.password")}
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
          {t("me.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
