/** Alarms that stand and nobody has seen, above everything else. */
import { Button, Group, Stack } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { alarms } from "@/api/boards";
import { useStore } from "@/api/store";
import { AlarmCard } from "./AlarmCard";
import { urgent } from "./alarms";

/** Shown one by one; the others are behind a button. */
const SHOWN = 2;

export function AlarmBanner({ onAll }: { onAll: () => void }) {
  const { t } = useTranslation("floor");
  const all = useStore(alarms);
  const standing = useMemo(() => urgent(all?.values() ?? []), [all]);
  const others = standing.length - SHOWN;
  return (
    <section aria-label={t("alarms.banner")} aria-live="assertive" hidden={standing.length === 0}>
      <Stack gap="xs">
        {standing.slice(0, SHOWN).map((alarm) => (
          <AlarmCard key={alarm.alarm_id} alarm={alarm} />
        ))}
        {others > 0 && (
          <Group>
            <Button size="compact-sm" variant="subtle" onClick={onAll}>
              {t("alarms.others", { count: others })}
            </Button>
          </Group>
        )}
      </Stack>
    </section>
  );
}
