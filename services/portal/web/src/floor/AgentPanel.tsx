/** One agent, as they stand this instant. */
import { Alert, Anchor, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowsExchange, IconInfoCircle, IconUserCog } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { usePart } from "@/api/store";
import { ms, type AgentView } from "@/api/types";
import { Link } from "@/app/go";
import { usePhone } from "@/i18n/phone";
import { reasonWords } from "@/ui/reason";
import { SidePanel } from "@/ui/SidePanel";
import { StateBadge } from "@/ui/StateBadge";
import { Since, Until, useSecond } from "@/ui/Ticking";
import { alertOf } from "./attention";
import { callerOf } from "./counts";
import { contactsBehind, today } from "./links";
import { useQueueName } from "./useQueues";
import { useWhyNot } from "./words";

interface Props {
  /** Empty: closed. */
  id: string;
  onClose: () => void;
  onMove: (id: string) => void;
  onPresence: (id: string) => void;
}

export function AgentPanel({ id, onClose, onMove, onPresence }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const agent = usePart(agents, (all) => all?.get(id));
  return (
    <SidePanel opened={id !== ""} onClose={onClose} title={agent?.name ?? t("agents.title")}>
      {agent ? <Inside agent={agent} /> : id && <Text>{t("agents.gone")}</Text>}
      {agent && (
        <Group gap="xs">
          <Button
            leftSection={<IconUserCog size={16} aria-hidden />}
            onClick={() => onPresence(id)}
          >
            {t("presence.open")}
          </Button>
          <Button
            variant="default"
            leftSection={<IconArrowsExchange size={16} aria-hidden />}
            onClick={() => onMove(id)}
          >
            {t("move.open")}
          </Button>
        </Group>
      )}
    </SidePanel>
  );
}

function Inside({ agent }: { agent: AgentView }) {
  const { t } = useTranslation(["floor", "common"]);
  const queueName = useQueueName();
  const whyNot = useWhyNot();
  const now = useSecond();
  const alert = alertOf(agent, now);
  const back = ms(agent.routable_at_ms);
  return (
    <Stack gap="md">
      {alert && (
        <Alert color="orange" variant="light" icon={<IconInfoCircle aria-hidden />}>
          {t(`alert.${alert}`)}
        </Alert>
      )}
      <Fact label={t("agents.state")}>
        <Group gap="sm">
          <StateBadge state={agent.state} reason={reasonWords(agent.reason)} />
          <Text size="sm">
            <Since ms={ms(agent.since_ms)} />
          </Text>
        </Group>
      </Fact>
      {agent.pending && (
        <Fact label={t("agents.pending")}>
          <StateBadge state={agent.pending} />
        </Fact>
      )}
      {!agent.routable && agent.why_not && (
        <Fact label={t("agents.why")}>
          <Text size="sm">
            {whyNot(agent.why_not)}
            {back > now && (
              <>
                {" · "}
                {t("agents.backIn")} <Until ms={back} />
              </>
            )}
          </Text>
        </Fact>
      )}
      <Fact label={t("agents.queues")}>
        <Group gap={6}>
          {agent.queue_ids.length === 0 && <Text size="sm">{t("common:none")}</Text>}
          {agent.queue_ids.map((queue) => (
            <Badge key={queue} color="gray">
              {queueName(queue)}
            </Badge>
          ))}
        </Group>
      </Fact>
      {agent.work.map((work) => (
        <Fact key={work.reservation_id} label={t("agents.contact")}>
          <Work work={work} />
        </Fact>
      ))}
      <Anchor
        component={Link}
        size="sm"
        href={contactsBehind({ fromMs: today(now), toMs: now, agent: agent.agent_id })}
      >
        {t("agents.contactsToday")}
      </Anchor>
    </Stack>
  );
}

function Work({ work }: { work: AgentView["work"][number] }) {
  const { t } = useTranslation(["floor", "common"]);
  const phone = usePhone();
  const queueName = useQueueName();
  const caller = callerOf(work.contact);
  const known = ["reserved", "ringing", "talking", "holding", "wrap_up"].includes(work.work);
  return (
    <Group gap="sm">
      <Text size="sm" fw={560} className="tabular">
        {[caller.name, phone(caller.number)].filter(Boolean).join(" · ") || t("waiting.withheld")}
      </Text>
      <Text size="sm" c="dimmed">
        {queueName(work.queue_id)}
      </Text>
      <Text size="sm" c="dimmed">
        {known && t(`common:state.${work.work as "talking"}`)} <Since ms={ms(work.since_ms)} />
      </Text>
      <Anchor component={Link} size="sm" href={`/contacts/${encodeURIComponent(work.contact_id)}`}>
        {t("waiting.story")}
      </Anchor>
    </Group>
  );
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" fw={600} c="dimmed" mb={4}>
        {label}
      </Text>
      {children}
    </div>
  );
}
