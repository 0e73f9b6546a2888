/** A contact that is talked to or wrapped up. */
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { ms } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { StateBadge } from "@/ui/StateBadge";
import { Since } from "@/ui/Ticking";
import { useCustomer } from "../customer/useCustomer";
import { nameOf, numberOf, wrapUpOf } from "../work";
import { isTalking } from "../words";
import { Controls } from "./Controls";
import { Disposition } from "./Disposition";
import { LineState } from "./LineState";
import { Notes } from "./Notes";
import { Why } from "./Why";
import { WrapUpBar } from "./WrapUpBar";
import { useDisposition } from "./useDisposition";
import classes from "../Desk.module.css";

export function Contact({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const disposition = useDisposition(work);
  const [customer] = useCustomer(work);
  const { reservation: row } = work;
  if (!row) return null;
  const name = customer?.name || nameOf(work);
  const number = written(numberOf(work));
  const wrap = wrapUpOf(row);
  return (
    <Stack gap="md">
      <Paper
        className={`panel ${classes.card}`}
        component="section"
        aria-labelledby="contact-title"
      >
        <Stack gap="md">
          <Group justify="space-between" align="flex-start" wrap="nowrap">
            <div>
              <Title order={2} id="contact-title" className={classes.who}>
                {name || number || t("caller.withheld")}
              </Title>
              <Text c="dimmed">
                {[name && number, work.queue_name].filter(Boolean).join(" · ")}
              </Text>
            </div>
            {!wrap && (
              <Stack gap={2} align="flex-end">
                <div className={classes.timer}>
                  <Since ms={ms(row.accepted_at_ms) || ms(row.since_ms)} />
                </div>
                <StateBadge state={row.work} />
              </Stack>
            )}
          </Group>
          {wrap && <WrapUpBar work={work} wrap={wrap} disposition={disposition} />}
          {isTalking(work) && <Controls work={work} />}
          {isTalking(work) && <LineState work={work} />}
        </Stack>
      </Paper>
      <Paper className={`panel ${classes.card}`} component="section" aria-labelledby="why-title">
        <Title order={2} id="why-title" fz="md" mb="sm">
          {t("reason.title")}
        </Title>
        <Why work={work} />
      </Paper>
      <Paper className={`panel ${classes.card}`}>
        <Stack gap="lg">
          <Notes work={work} />
          <Disposition work={work} disposition={disposition} />
        </Stack>
      </Paper>
    </Stack>
  );
}
