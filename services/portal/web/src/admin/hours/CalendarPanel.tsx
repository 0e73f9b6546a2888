/** One calendar: its week and its special days. */
import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Menu,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { IconCopy } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { useTenant } from "../common/data";
import { IdField } from "../common/IdField";
import { zoneOptions } from "../common/names";
import { isSlug, slug } from "../common/slug";
import { DayHours } from "./DayHours";
import { SpecialDays } from "./SpecialDays";
import { anyFault, copiedTo, DAYS, ofDay, withDay, type Day } from "./week";

export type Calendar = Schema<"ivr.v1.Calendar">;

const WORKDAYS: Day[] = ["mon", "tue", "wed", "thu", "fri"];

interface Props {
  /** null: a new one. */
  old: Calendar | null;
  taken: string[];
  onClose: () => void;
  onSaved: () => void;
  onRemove: (calendar: Calendar) => void;
}

function fresh(): Calendar {
  return {
    calendar_id: "",
    name: "",
    time_zone: "",
    week: WORKDAYS.map((day) => ({ day, from: "09:00", to: "17:00" })),
    special_days: [],
    open_now: false,
    changes_at_ms: "0",
    used_by: [],
  };
}

export function CalendarPanel({ old, taken, onClose, onSaved, onRemove }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const tenant = useTenant();
  const [first] = useState(() => old ?? fresh());
  const [draft, setDraft] = useState(first);
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const zones = useMemo(() => zoneOptions(draft.time_zone), [draft.time_zone]);
  const id = old?.calendar_id ?? (typed || slug(draft.name));
  const idFault = !isSlug(id) ? t("id.bad") : !old && taken.includes(id) && t("id.taken");
  const missing = !draft.name.trim();
  const wrong = anyFault(draft.week, draft.special_days);
  const put = (next: Partial<Calendar>) => setDraft({ ...draft, ...next });
  const save = useMutation({
    mutationFn: () => {
      const { name, time_zone, week, special_days } = draft;
      return told(
        api.PUT("/v1/calendars/{calendar_id}", {
          params: { path: { calendar_id: id } },
          body: { name: name.trim(), time_zone, week, special_days },
        }),
      );
    },
    onSuccess: () => {
      toast(t("common:saved"));
      onSaved();
    },
  });
  return (
    <SidePanel
      opened
      title={old ? old.name || old.calendar_id : t("hours.new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (!missing && !idFault && !wrong) save.mutate();
      }}
      saving={save.isPending}
      problem={save.error}
      dirty={draft !== first}
      size={600}
      aside={
        old && (
          <Button variant="subtle" color="red" onClick={() => onRemove(old)}>
            {t("common:action.remove")}
          </Button>
        )
      }
    >
      {tried && wrong && (
        <Alert color="red" variant="light" role="alert">
          {t("hours.wrong")}
        </Alert>
      )}
      <TextInput
        label={t("hours.name")}
        value={draft.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
        error={tried && missing && t("common:signIn.missing")}
        maxLength={100}
        required
        data-autofocus
      />
      <IdField id={id} onChange={setTyped} fresh={!old} error={tried && !missing && idFault} />
      <Select
        label={t("settings.zone")}
        placeholder={t("hours.tenantZone", { zone: tenant.data?.time_zone ?? "" })}
        data={zones}
        value={draft.time_zone || null}
        onChange={(time_zone) => put({ time_zone: time_zone ?? "" })}
        searchable
        clearable
        limit={200}
      />
      <Title order={3}>{t("hours.week")}</Title>
      <Stack gap="sm">
        {DAYS.map((day) => (
          <Group key={day} align="flex-start" gap="sm" wrap="nowrap">
            <Text size="sm" fw={560} w={92} pt={6}>
              {t(`hours.day.${day}`)}
            </Text>
            <DayHours
              name={t(`hours.day.${day}`)}
              day={day}
              hours={ofDay(draft.week, day)}
              onChange={(hours) => put({ week: withDay(draft.week, day, hours) })}
            />
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon ml="auto" aria-label={t("hours.copy", { day: t(`hours.day.${day}`) })}>
                  <IconCopy size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>{t("hours.copy", { day: t(`hours.day.${day}`) })}</Menu.Label>
                <Menu.Item onClick={() => put({ week: copiedTo(draft.week, day, WORKDAYS) })}>
                  {t("hours.toWorkdays")}
                </Menu.Item>
                <Menu.Item onClick={() => put({ week: copiedTo(draft.week, day, DAYS) })}>
                  {t("hours.toAll")}
                </Menu.Item>
                {DAYS.filter((other) => other !== day).map((other) => (
                  <Menu.Item
                    key={other}
                    onClick={() => put({ week: copiedTo(draft.week, day, [other]) })}
                  >
                    {t(`hours.day.${other}`)}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </Group>
        ))}
      </Stack>
      <Title order={3}>{t("hours.special")}</Title>
      <SpecialDays
        days={draft.special_days}
        onChange={(special_days) => put({ special_days })}
        region={tenant.data?.region ?? "US"}
      />
    </SidePanel>
  );
}
