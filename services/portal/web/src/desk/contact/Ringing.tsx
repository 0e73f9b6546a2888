/** Somebody calls: who, for which queue, why, and the two ways to decide. */
import { Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconBellRinging } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { link } from "@/api/feed";
import { useStore } from "@/api/store";
import type { DeskWork } from "@/api/types";
import { ms } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { Until } from "@/ui/Ticking";
import { RingButtons } from "../CallBar";
import { checked } from "../phone/softphone";
import { nameOf, numberOf } from "../work";
import { Why } from "./Why";
import classes from "../Desk.module.css";

export function Ringing({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const here = useStore(checked);
  const elsewhere = useStore(link) === "replaced" || !here;
  const number = written(numberOf(work));
  const name = nameOf(work);
  const { card, reservation: row } = work;
  const ends = row?.stage === "ringing" ? ms(row.deadline_ms) : 0;
  return (
    <Paper
      className={`panel ${classes.card} ${classes.ringing}`}
      component="section"
      aria-labelledby="ring-title"
    >
      <Stack gap="lg">
        <Group gap={8} c="var(--state-ring)">
          <IconBellRinging size={20} aria-hidden />
          <Title order={2} id="ring-title" fz="md">
            {t("ring.now", { queue: work.queue_name })}
          </Title>
        </Group>
        <div>
          <Group gap="sm">
            <div className={classes.who} role="status">
              {name || number || t("caller.withheld")}
            </div>
            {card?.customer?.segment && <Badge>{card.customer.segment}</Badge>}
          </Group>
          <Text c="dimmed">
            {name ? number : card?.known === false && number ? t("caller.unknown") : null}
          </Text>
        </div>
        <Why work={work} />
        {elsewhere ? (
          <Text size="sm" fw={560}>
            {t("ring.elsewhere")}
          </Text>
        ) : null}
        <Stack gap="xs">
          <Group gap="sm">
            <RingButtons work={work} size="md" />
            {ends > 0 && (
              <Text size="sm" c="dimmed">
                {t("ring.left")} <Until ms={ends} />
              </Text>
            )}
          </Group>
          <Text size="sm" c="dimmed">
            {t("ring.declining")}
          </Text>
        </Stack>
      </Stack>
    </Paper>
  );
}
