/** A small drawing of a step, made of the parts that the pages are made of. */
import { Badge, Button, Group, Paper, Stack, Text } from "@mantine/core";
import {
  IconArrowRight,
  IconBell,
  IconClockHour4,
  IconDialpad,
  IconEyeOff,
  IconKey,
  IconPhone,
  IconPlayerPause,
  IconShieldCheck,
  IconStack2,
  IconUsers,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { percent } from "@/i18n/format";
import { Sparkline } from "@/ui/Sparkline";
import { TenantState } from "@/platform/TenantState";
import { StateBadge } from "@/ui/StateBadge";
import { Tile } from "@/ui/Tile";
import type { Step } from "./steps";
import classes from "./Tour.module.css";

const WAITS = [1, 2, 2, 4, 3, 5, 3, 2, 1, 2];
const LEVEL = 94;

export function Sketch({ step }: { step: Exclude<Step, "try"> }) {
  const { t } = useTranslation("tour");
  const caller = (
    <div>
      <Text size="sm" fw={620}>
        {t("sample.caller")}
      </Text>
      <Text size="xs" c="dimmed">
        {t("sample.number")}
      </Text>
    </div>
  );
  const box = (icon: ReactNode, text: string) => (
    <Paper className="panel" px="sm" py={8}>
      <Group gap={8} wrap="nowrap">
        {icon}
        <Text size="sm" fw={560}>
          {text}
        </Text>
      </Group>
    </Paper>
  );
  const drawings: Record<Exclude<Step, "try">, ReactNode> = {
    desk: (
      <>
        <Paper className="panel" p="xs">
          <StateBadge state="ready" />
        </Paper>
        <Paper className="panel" p="xs">
          {caller}
        </Paper>
      </>
    ),
    ready: (
      <Stack gap={8}>
        <StateBadge state="ready" />
        <StateBadge state="break" />
        <StateBadge state="wrap_up" />
      </Stack>
    ),
    call: (
      <>
        {caller}
        <Group gap={6}>
          <Button size="compact-sm" color="teal" leftSection={<IconPhone size={14} />}>
            {t("sample.answer")}
          </Button>
          <Button size="compact-sm" variant="default">
            {t("sample.hold")}
          </Button>
          <Button size="compact-sm" variant="default">
            {t("sample.transfer")}
          </Button>
        </Group>
      </>
    ),
    after: (
      <Group gap="sm">
        <StateBadge state="wrap_up" />
        <Badge variant="light">{t("sample.topic")}</Badge>
        <Button size="compact-sm">{t("sample.finish")}</Button>
      </Group>
    ),
    floor: (
      <Group gap="sm" wrap="nowrap">
        <Tile label={t("sample.level")} value={percent(LEVEL)} tone="good" />
        <Tile
          label={t("sample.waiting")}
          value={2}
          note={<Sparkline values={WAITS} label={t("sample.waiting")} width={90} height={24} />}
        />
      </Group>
    ),
    board: (
      <Stack gap={8}>
        <StateBadge state="unreachable" />
        <StateBadge state="talking" />
        <StateBadge state="ready" />
      </Stack>
    ),
    why: (
      <Stack gap={6} align="center">
        {box(<IconStack2 size={16} />, `${t("sample.queue")} · ${t("sample.wait")}`)}
        <Text size="sm" c="dimmed" ta="center">
          {t("sample.because")}
        </Text>
      </Stack>
    ),
    past: (
      <Stack gap={6} align="center">
        {caller}
        <Sparkline
          values={[0, 3, 5, 2, 6, 4, 1, 5, 6, 3, 2, 4, 1]}
          label={t("sample.caller")}
          width={220}
        />
      </Stack>
    ),
    people: (
      <>
        {box(<IconUsers size={16} />, t("sample.queue"))}
        <Badge variant="light">{t("sample.skill")}</Badge>
        <Badge variant="light">{t("sample.otherSkill")}</Badge>
      </>
    ),
    flows: (
      <>
        {box(<IconDialpad size={16} />, t("sample.menu"))}
        <Group gap={4} wrap="nowrap">
          <Badge variant="default">{t("sample.key")}</Badge>
          <IconArrowRight size={16} />
        </Group>
        {box(<IconStack2 size={16} />, t("sample.queue"))}
      </>
    ),
    numbers: (
      <>
        {box(<IconPhone size={16} />, t("sample.number"))}
        {box(<IconClockHour4 size={16} />, t("sample.day"))}
      </>
    ),
    rules: (
      <>
        {box(<IconShieldCheck size={16} />, t("sample.policy"))}
        {box(<IconBell size={16} />, t("sample.audit"))}
      </>
    ),
    tenants: (
      <>
        {box(<IconUsers size={16} />, t("sample.tenant"))}
        <TenantState state="attention" />
      </>
    ),
    create: (
      <>
        {box(<IconUsers size={16} />, t("sample.tenant"))}
        {box(<IconKey size={16} />, t("sample.password"))}
      </>
    ),
    caps: box(<IconUsers size={16} />, t("sample.users")),
    suspend: box(<IconPlayerPause size={16} />, t("sample.tenant")),
    private: box(<IconEyeOff size={16} />, t("sample.caller")),
  };
  return (
    <div className={classes.sketch} aria-hidden inert>
      {drawings[step]}
    </div>
  );
}
