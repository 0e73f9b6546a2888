/** Dates on which the week does not count; public holidays are suggested. */
import {
  ActionIcon,
  Button,
  Group,
  NumberInput,
  Paper,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { phoneLibrary } from "@/i18n/phone";
import { ErrorNote } from "@/ui/notes";
import { toast } from "@/ui/toast";
import { regionOptions } from "../common/names";
import { DayHours } from "./DayHours";
import { withSpecial, type SpecialDay } from "./week";

interface Props {
  days: SpecialDay[];
  onChange: (days: SpecialDay[]) => void;
  /** The tenant's own. */
  region: string;
}

export function SpecialDays({ days, onChange, region }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [country, setCountry] = useState(region);
  const [year, setYear] = useState(new Date().getFullYear());
  const [codes, setCodes] = useState<string[]>([region]);
  useEffect(() => {
    void phoneLibrary().then((library) => setCodes(library.getCountries()));
  }, []);
  const suggest = useMutation({
    mutationFn: () => told(api.GET("/v1/holidays", { params: { query: { country, year } } })),
    onSuccess: (found) => {
      const next = withSpecial(days, found.days);
      toast(t("hours.suggested", { count: next.length - days.length }));
      onChange(next);
    },
  });
  const put = (place: number, change: Partial<SpecialDay>) =>
    onChange(days.map((one, at) => (at === place ? { ...one, ...change } : one)));
  const twice = (date: string) => days.filter((one) => one.date === date).length > 1;
  return (
    <Stack gap="sm">
      <Group gap="xs" align="flex-end">
        <Select
          label={t("hours.country")}
          data={regionOptions(codes)}
          value={country}
          onChange={(value) => value && setCountry(value)}
          searchable
          allowDeselect={false}
          size="xs"
          w={200}
        />
        <NumberInput
          label={t("hours.year")}
          value={year}
          onChange={(value) => setYear(Number(value) || year)}
          min={2000}
          max={2100}
          size="xs"
          w={90}
        />
        <Button
          variant="light"
          size="xs"
          loading={suggest.isPending}
          onClick={() => suggest.mutate()}
        >
          {t("hours.suggest")}
        </Button>
      </Group>
      {suggest.error && <ErrorNote problem={suggest.error} />}
      {days.map((one, place) => (
        <Paper key={place} className="panel" p="sm">
          <Group gap="xs" wrap="nowrap" align="flex-start" mb={6}>
            <TextInput
              type="date"
              size="xs"
              aria-label={t("hours.date")}
              value={one.date}
              onChange={(event) => put(place, { date: event.currentTarget.value })}
              error={
                one.date === "" ? t("common:signIn.missing") : twice(one.date) && t("hours.twice")
              }
            />
            <TextInput
              size="xs"
              flex={1}
              aria-label={t("hours.dayName")}
              placeholder={t("hours.dayName")}
              value={one.name}
              onChange={(event) => put(place, { name: event.currentTarget.value })}
            />
            <ActionIcon
              aria-label={t("hours.removeDay", { name: one.name || one.date })}
              onClick={() => onChange(days.filter((_, at) => at !== place))}
            >
              <IconX size={16} />
            </ActionIcon>
          </Group>
          <DayHours
            name={one.name || one.date}
            day=""
            hours={one.hours}
            onChange={(hours) => put(place, { hours })}
          />
        </Paper>
      ))}
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => onChange([...days, { date: "", name: "", hours: [] }])}
        style={{ alignSelf: "flex-start" }}
      >
        {t("hours.addDay")}
      </Button>
    </Stack>
  );
}
