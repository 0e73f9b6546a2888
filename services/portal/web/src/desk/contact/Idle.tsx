/** No contact in hand: what happens next, and notes that were not saved. */
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import {
  IconCoffee,
  IconDevices,
  IconHeadphones,
  IconHeadset,
  IconLogin,
  type Icon,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { link } from "@/api/feed";
import { useStore } from "@/api/store";
import type { AgentView } from "@/api/types";
import { singleKeys } from "@/app/keys";
import { Empty, Rows } from "@/ui/notes";
import { check, checked, takeCallsHere } from "../phone/softphone";
import { goReady } from "../presence";
import { LeftDrafts } from "./LeftDrafts";

export function Idle({ agent }: { agent: AgentView | undefined }) {
  return (
    <Stack gap="md">
      <LeftDrafts />
      <Paper className="panel">{agent ? <State agent={agent} /> : <Rows rows={5} />}</Paper>
    </Stack>
  );
}

/** Another tab has taken over: what was known here is out of date. */
export function Moved() {
  const { t } = useTranslation("desk");
  return (
    <Paper className="panel">
      <Empty
        icon={IconDevices}
        title={t("idle.moved.title")}
        action={
          <Button size="md" onClick={() => takeCallsHere()}>
            {t("tab.take")}
          </Button>
        }
      >
        {t("idle.moved.text")}
      </Empty>
    </Paper>
  );
}

function State({ agent }: { agent: AgentView }) {
  const { t } = useTranslation("desk");
  const here = useStore(checked);
  const mine = useStore(link) !== "replaced" && here;
  const single = useStore(singleKeys);
  const ready = (
    <Button size="md" onClick={goReady}>
      {t("presence.goReady")}
    </Button>
  );
  const tryDevices = (
    <Button
      variant="default"
      leftSection={<IconHeadphones size={18} aria-hidden />}
      onClick={() => check()}
    >
      {t("check.open")}
    </Button>
  );
  const says = (icon: Icon, key: "ready" | "break" | "rona" | "out", action?: ReactNode) => (
    <Empty icon={icon} title={t(`idle.${key}.title`)} action={action}>
      {t(`idle.${key}.text`)}
    </Empty>
  );
  if (agent.presence === "ready" && mine && agent.routable)
    return (
      <>
        {says(IconHeadset, "ready", tryDevices)}
        {single && (
          <Group justify="center" pb="xl" mt={-24}>
            <Text size="sm" c="dimmed">
              {t("idle.keys")}
            </Text>
          </Group>
        )}
      </>
    );
  if (agent.presence === "ready")
    return (
      <Empty
        icon={IconHeadphones}
        title={t("idle.unheard.title")}
        action={
          mine ? (
            tryDevices
          ) : (
            <Button size="md" onClick={() => takeCallsHere()}>
              {t("tab.take")}
            </Button>
          )
        }
      >
        {t("idle.unheard.text")}
      </Empty>
    );
  if (agent.presence === "break")
    return agent.reason === "rona"
      ? says(IconCoffee, "rona", ready)
      : says(IconCoffee, "break", ready);
  return says(IconLogin, "out", ready);
}
