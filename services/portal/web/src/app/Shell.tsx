/** The frame around every page: sections at the left, the connection and the person at the top. */
import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Group,
  NavLink,
  Stack,
  Text,
  Tooltip,
} from "@mantine/core";
import { useDisclosure, useLocalStorage } from "@mantine/hooks";
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "@/api/types";
import { PageLoader } from "@/ui/notes";
import { AtRest } from "./AtRest";
import { ConnectionBar } from "./ConnectionBar";
import { ErrorBoundary } from "./ErrorBoundary";
import { Link, usePath } from "./go";
import { sectionsFor, type Section } from "./nav";
import { UserMenu } from "./UserMenu";
import classes from "./Shell.module.css";

const DeskRuntime = lazy(() => import("@/desk/Runtime"));
const Tour = lazy(() => import("@/tour/Tour"));

const WIDE = 232;
const NARROW = 68;

export function Shell({ me, children }: { me: Me; children: ReactNode }) {
  const { t } = useTranslation();
  const [menu, { toggle, close }] = useDisclosure(false);
  const [narrow, setNarrow] = useLocalStorage({ key: "carillon.narrow", defaultValue: false });
  const pathname = usePath();
  useEffect(close, [pathname, close]);
  const sections = sectionsFor(me.roles);
  const groups = [undefined, "administration", "platform"] as const;
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: narrow ? NARROW : WIDE, breakpoint: "sm", collapsed: { mobile: !menu } }}
      padding={0}
    >
      <a href="#main" className="skip">
        {t("app.skip")}
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={menu}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t("app.menu")}
            />
            <img src="/bell.svg" alt="" width={28} height={28} />
            <Text fw={660} size="lg" className={classes.brand}>
              {t("app.name")}
            </Text>
            <Text c="dimmed" size="sm" visibleFrom="sm" truncate>
              {me.tenant_name}
            </Text>
          </Group>
          <Group gap="sm" wrap="nowrap">
            {/* The desk puts the agent's state here. */}
            <Box id="header-slot" className={classes.slot} />
            <UserMenu me={me} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label={t("app.sections")}>
        <AppShell.Section grow className={classes.sections} px={narrow ? 8 : "xs"} py="sm">
          {groups.map((group) => {
            const mine = sections.filter((section) => section.group === group);
            if (mine.length === 0) return null;
            return (
              <Stack key={group ?? "top"} gap={2} mb="md">
                {group && !narrow && (
                  <Text size="xs" fw={600} c="dimmed" px={10} py={4}>
                    {t(`nav.${group}`)}
                  </Text>
                )}
                {mine.map((section) => (
                  <SectionLink
                    key={section.key}
                    section={section}
                    narrow={narrow}
                    active={pathname === section.path || pathname.startsWith(`${section.path}/`)}
                  />
                ))}
              </Stack>
            );
          })}
        </AppShell.Section>
        <AppShell.Section p="xs" visibleFrom="sm">
          <Tooltip label={t(narrow ? "nav.expand" : "nav.collapse")} position="right">
            <ActionIcon
              aria-label={t(narrow ? "nav.expand" : "nav.collapse")}
              onClick={() => setNarrow(!narrow)}
            >
              {narrow ? (
                <IconLayoutSidebarLeftExpand size={20} />
              ) : (
                <IconLayoutSidebarLeftCollapse size={20} />
              )}
            </ActionIcon>
          </Tooltip>
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <ConnectionBar />
        <ErrorBoundary key={pathname}>
          <Suspense fallback={<PageLoader />}>{children}</Suspense>
        </ErrorBoundary>
      </AppShell.Main>
      {/* Each by itself: a call must not wait for anything else. */}
      <Suspense fallback={null}>{me.roles.includes("agent") && <DeskRuntime />}</Suspense>
      <AtRest>
        <Tour />
      </AtRest>
    </AppShell>
  );
}

function SectionLink(props: { section: Section; narrow: boolean; active: boolean }) {
  const { t } = useTranslation();
  const { section, narrow, active } = props;
  const label = t(`nav.${section.key}`);
  const link = (
    <NavLink
      component={Link}
      href={section.path}
      active={active}
      {...(active && { "aria-current": "page" as const })}
      label={narrow ? undefined : label}
      aria-label={label}
      leftSection={<section.icon size={20} stroke={1.7} aria-hidden />}
      className={classes.link}
      data-narrow={narrow || undefined}
    />
  );
  return narrow ? (
    <Tooltip label={label} position="right" openDelay={100}>
      {link}
    </Tooltip>
  ) : (
    link
  );
}
