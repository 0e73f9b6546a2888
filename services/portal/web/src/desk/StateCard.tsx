/** The agent's state with its timer, and in plain words why no calls come, and what to do. */
import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { link } from "@/api/feed";
import { useStore } from "@/api/store";
import type { AgentView } from "@/api/types";
import { ms } from "@/api/types";
import { reasonWords } from "@/ui/reason";
import { StateBadge } from "@/ui/StateBadge";
import { Since, Until } from "@/ui/Ticking";
import { checked, takeCallsHere } from "./phone/softphone";
import { goReady } from "./presence";
import { hintOf } from "./routable";
import classes from "./Desk.module.css";

export function StateCard({ agent }: { agent: AgentView | undefined }) {
  const { t } = useTranslation(["desk", "common"]);
  if (!agent) return <Skeleton height={150} radius="md" />;
  return (
    <Paper className={`panel ${classes.card}`} component="section" aria-labelledby="state-title">
      <Stack gap="sm">
        <Title order={2} id="state-title" fz="md">
          {t("desk:state.title")}
        </Title>
        <Group justify="space-between" wrap="nowrap" align="baseline">
          <StateBadge state={agent.state} />
          <Text fw={600} fz="lg">
            <Since ms={ms(agent.since_ms)} />
          </Text>
        </Group>
        {agent.state === "break" && agent.reason && (
          <Text size="sm" c="dimmed">
            {reasonWords(agent.reason)}
          </Text>
        )}
        {agent.pending && (
          <Text size="sm" c="dimmed">
            {t("desk:presence.afterThis", {
              state: t(`common:state.${agent.pending as "break"}`),
            })}
          </Text>
        )}
        <WhyNot agent={agent} />
      </Stack>
    </Paper>
  );
}

function WhyNot({ agent }: { agent: AgentView }) {
  const { t } = useTranslation("desk");
  const here = useStore(checked);
  const replaced = useStore(link) === "replaced";
  const hint = hintOf(agent, here && !replaced);
  if (!hint) return null;
  const until = ms(agent.routable_at_ms);
  const button: Record<typeof hint.offer, ReactNode> = {
    nothing: null,
    // Without a contact in hand the middle of the desk offers the same.
    ready: agent.work.length > 0 && (
      <Button fullWidth variant="default" onClick={goReady}>
        {t("presence.goReady")}
      </Button>
    ),
    take: (agent.work.length > 0 || agent.presence !== "ready") && (
      <Button fullWidth variant="default" onClick={() => takeCallsHere()}>
        {t("tab.take")}
      </Button>
    ),
  };
  return (
    <Stack gap="xs" className={classes.bar}>
      <Group gap={8} wrap="nowrap" align="flex-start">
        <IconInfoCircle size={18} className={classes.hintIcon} aria-hidden />
        <div role="status">
          <Text size="sm" fw={560}>
            {t(`why.${hint.code}.what`)}
          </Text>
          <Text size="sm" c="dimmed">
            {t(`why.${hint.code}.do`)}{" "}
            {until > 0 && agent.why_not === "resting" && <Until ms={until} />}
          </Text>
        </div>
      </Group>
      {button[hint.offer]}
    </Stack>
  );
}
