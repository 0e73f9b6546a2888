/** The contact in hand at the foot of pages other than the desk. */
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import {
  IconArrowRight,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhone,
  IconPhoneOff,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { ms } from "@/api/types";
import { useStore } from "@/api/store";
import { Link } from "@/app/go";
import { usePhone } from "@/i18n/phone";
import { StateBadge } from "@/ui/StateBadge";
import { Since, Until } from "@/ui/Ticking";
import { toastProblem } from "@/ui/toast";
import { armed } from "./ending";
import { mute } from "./phone/phone";
import { useCommand } from "./useCommand";
import { foremost, nameOf, numberOf } from "./work";
import { idOf, isRinging, isTalking } from "./words";
import classes from "./Desk.module.css";

export function CallBar({ works }: { works: DeskWork[] }) {
  const { t } = useTranslation("desk");
  const work = works.find((each) => idOf(each) === foremost(works));
  if (!work) return null;
  return (
    <Paper
      className={`panel ${classes.callBar}`}
      component="section"
      aria-label={t("bar.label")}
      data-ringing={isRinging(work) || undefined}
      data-call-bar
    >
      <Group justify="space-between" gap="md">
        <Who work={work} />
        <Group gap="xs">
          {isRinging(work) && <RingButtons work={work} />}
          {isTalking(work) && <TalkButtons work={work} />}
          <Button
            component={Link}
            href="/desk"
            variant="default"
            rightSection={<IconArrowRight size={16} aria-hidden />}
          >
            {t("bar.desk")}
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}

function Who({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const { reservation: row } = work;
  const since = isRinging(work) ? row?.reserved_at_ms : row?.since_ms;
  return (
    <Stack gap={2} miw={0}>
      <Text fw={620} truncate>
        {nameOf(work) || written(numberOf(work)) || t("caller.withheld")}
      </Text>
      <Group gap="xs">
        <StateBadge state={row?.work ?? "ringing"} />
        <Text size="sm" c="dimmed">
          {row?.work === "wrap_up" && ms(row.deadline_ms) > 0 ? (
            <Until ms={ms(row.deadline_ms)} />
          ) : (
            <Since ms={ms(since)} />
          )}
        </Text>
        <Text size="sm" c="dimmed" truncate>
          {work.queue_name}
        </Text>
      </Group>
    </Stack>
  );
}

export function RingButtons({ work, size = "sm" }: { work: DeskWork; size?: "sm" | "md" }) {
  const { t } = useTranslation("desk");
  const accept = useCommand("accept");
  const reject = useCommand("reject");
  return (
    <>
      <Button
        color="teal.9"
        size={size}
        leftSection={<IconPhone size={18} aria-hidden />}
        loading={accept.isPending}
        onClick={() => accept.mutate(idOf(work))}
      >
        {t("call.accept")}
      </Button>
      <Button
        variant="light"
        color="red"
        size={size}
        leftSection={<IconPhoneOff size={18} aria-hidden />}
        loading={reject.isPending}
        onClick={() => reject.mutate(idOf(work))}
      >
        {t("call.decline")}
      </Button>
    </>
  );
}

function TalkButtons({ work }: { work: DeskWork }) {
  const { t } = useTranslation("desk");
  const hangUp = useCommand("hangUp");
  const ending = useStore(armed) === idOf(work);
  return (
    <>
      <Button
        variant={work.muted ? "filled" : "default"}
        aria-pressed={work.muted}
        leftSection={
          work.muted ? (
            <IconMicrophoneOff size={18} aria-hidden />
          ) : (
            <IconMicrophone size={18} aria-hidden />
          )
        }
        onClick={() => void mute(idOf(work), !work.muted).catch(toastProblem)}
      >
        {t(work.muted ? "call.unmute" : "call.mute")}
      </Button>
      <Button
        color="red.9"
        leftSection={<IconPhoneOff size={18} aria-hidden />}
        loading={hangUp.isPending}
        onClick={() => hangUp.mutate(idOf(work))}
      >
        {t(ending ? "call.endAgain" : "call.end")}
      </Button>
    </>
  );
}
