/** The agent's state in the header of every page, and the menu that changes it. */
import { Box, Kbd, Menu, Skeleton, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import {
  IconCheck,
  IconChevronDown,
  IconCircleCheck,
  IconCoffee,
  IconDeviceLaptop,
  IconHeadphones,
  IconLogout,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { desk } from "@/api/boards";
import { link } from "@/api/feed";
import { useStore } from "@/api/store";
import { ms } from "@/api/types";
import { singleKeys } from "@/app/keys";
import { BREAKS, reasonWords } from "@/ui/reason";
import { StateBadge } from "@/ui/StateBadge";
import { Since } from "@/ui/Ticking";
import { check, checked, takeCallsHere } from "./phone/softphone";
import { be, goReady } from "./presence";
import classes from "./Desk.module.css";

export function StatePill() {
  const { t } = useTranslation(["desk", "common"]);
  const agent = useStore(desk)?.agent;
  const here = useStore(checked);
  const replaced = useStore(link) === "replaced";
  const single = useStore(singleKeys);
  if (!agent) return <Skeleton height={32} width={140} radius="xl" />;
  const mark = (on: boolean) => (on ? <IconCheck size={16} aria-hidden /> : null);
  const on = (presence: string, reason = "") =>
    agent.pending
      ? agent.pending === presence
      : agent.presence === presence && (!reason || agent.reason === reason);
  return (
    <Menu position="bottom-end" width={270} shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.pill}>
          <VisuallyHidden>{t("desk:presence.menu")}</VisuallyHidden>
          {replaced ? (
            <Text span size="sm" c="dimmed">
              {t("desk:tab.moved")}
            </Text>
          ) : (
            <>
              <StateBadge state={agent.state} />
              <Text span size="sm" visibleFrom="xs" c="dimmed">
                <Since ms={ms(agent.since_ms)} />
              </Text>
            </>
          )}
          {agent.pending && !replaced && (
            <Text span size="xs" c="dimmed" visibleFrom="md" truncate maw={120}>
              {t("desk:presence.then", { state: t(`common:state.${agent.pending as "break"}`) })}
            </Text>
          )}
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconCircleCheck size={16} color="var(--state-ready)" aria-hidden />}
          rightSection={mark(on("ready")) ?? (single && <Kbd size="xs">R</Kbd>)}
          onClick={goReady}
        >
          {t("desk:presence.ready")}
        </Menu.Item>
        <Menu.Label>{t("desk:presence.breaks")}</Menu.Label>
        {BREAKS.map((reason) => (
          <Menu.Item
            key={reason}
            leftSection={<IconCoffee size={16} aria-hidden />}
            rightSection={mark(on("break", reason))}
            onClick={() => be("break", reason)}
          >
            {reasonWords(reason)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          rightSection={mark(on("signed_out"))}
          onClick={() => be("signed_out")}
        >
          {t("desk:presence.signedOut")}
        </Menu.Item>
        <Menu.Divider />
        {(!here || replaced) && (
          <Menu.Item
            leftSection={<IconDeviceLaptop size={16} aria-hidden />}
            onClick={() => takeCallsHere()}
          >
            {t("desk:tab.take")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconHeadphones size={16} aria-hidden />} onClick={() => check()}>
          {t("desk:check.open")}
        </Menu.Item>
        {agent.work.length > 0 && (
          <Box px="sm" py={6}>
            <Text size="xs" c="dimmed">
              {t("desk:presence.afterContact")}
            </Text>
          </Box>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
