/** What happened, step by step, in words. */
import { Group, Stack, Switch, Text, Title } from "@mantine/core";
import {
  IconArrowForwardUp,
  IconBellRinging,
  IconCheck,
  IconDialpad,
  IconHourglass,
  IconMessage,
  IconMicrophoneOff,
  IconPencil,
  IconPhoneCall,
  IconPhoneOff,
  IconPlayerPause,
  IconPlugConnectedX,
  IconPoint,
  IconRecordMail,
  IconStack2,
  IconTag,
  IconUsers,
  type Icon,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";
import { useLabels } from "@/desk/customer/useLabels";
import { clock, length } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { useSay } from "./useSay";
import { folded, isTechnical, wordsOf, type StoryStep } from "./words";
import classes from "./Timeline.module.css";

const ICONS: Record<string, Icon> = {
  invited: IconPhoneCall,
  keyed: IconDialpad,
  keypad: IconDialpad,
  queued: IconStack2,
  position: IconHourglass,
  said: IconMessage,
  reserved: IconBellRinging,
  ringing: IconBellRinging,
  released: IconPhoneOff,
  accepted: IconCheck,
  bridged: IconUsers,
  hold: IconPlayerPause,
  unhold: IconUsers,
  mute: IconMicrophoneOff,
  unmute: IconUsers,
  transfer: IconArrowForwardUp,
  recording: IconRecordMail,
  connection: IconPlugConnectedX,
  left: IconStack2,
  completed: IconPhoneOff,
  "wrap-up-ended": IconPencil,
  disposition: IconTag,
  ended: IconPhoneOff,
};

export function Timeline({ steps }: { steps: StoryStep[] }) {
  const { t } = useTranslation("contacts");
  const say = useSay();
  const phone = usePhone();
  const labels = useLabels();
  const [all, setAll] = useState(false);
  const shown = folded(all ? steps : steps.filter((step) => !isTechnical(step)), (step) =>
    wordsOf(step, say, phone, (code) => labels([code])),
  );
  const began = ms(steps[0]?.at_ms);
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Title order={2} fz="1rem">
          {t("story.timeline")}
        </Title>
        <Switch
          size="sm"
          label={t("story.technical")}
          checked={all}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
      </Group>
      {shown.length === 0 && <Text c="dimmed">{t("story.noSteps")}</Text>}
      <ol className={classes.steps}>
        {shown.map(({ step, words, times }, place) => {
          const Shown = ICONS[step.kind] ?? IconPoint;
          return (
            <li
              key={place}
              className={classes.step}
              data-technical={isTechnical(step) || undefined}
            >
              <span className={classes.dot}>
                <Shown size={15} aria-hidden />
              </span>
              <Text span size="sm" className={classes.words}>
                {words}
                {times > 1 && (
                  <Text span size="sm" c="dimmed">
                    {" "}
                    {t("story.times", { count: times })}
                  </Text>
                )}
              </Text>
              <Text span size="xs" c="dimmed" className={`tabular ${classes.time}`}>
                {clock(ms(step.at_ms))}
                <span className={classes.since}>+{length(ms(step.at_ms) - began)}</span>
              </Text>
            </li>
          );
        })}
      </ol>
    </Stack>
  );
}
