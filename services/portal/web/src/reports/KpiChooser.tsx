/** Which figures a report shows, each with its formula in words. */
import { Badge, Button, Checkbox, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { SidePanel } from "@/ui/SidePanel";
import { labelOf } from "./behind";
import { useKpiWords } from "./kpiWords";
import { MAX_CHOSEN, type Kpi } from "./state";

interface Props {
  all: Kpi[];
  fitting: ReadonlySet<string>;
  chosen: Kpi[];
  onChange: (labels: string[]) => void;
  onClose: () => void;
}

export function KpiChooser({ all, fitting, chosen, onChange, onClose }: Props) {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  const [search, setSearch] = useState("");
  const labels = chosen.map(labelOf);
  const wanted = search.trim().toLowerCase();
  const found = all.filter((kpi) =>
    `${words.full(kpi)} ${words.formula(kpi)}`.toLowerCase().includes(wanted),
  );
  const names = [...new Set(found.map((kpi) => kpi.kpi))];
  const set = (label: string, on: boolean) =>
    onChange(on ? [...labels, label] : labels.filter((each) => each !== label));
  return (
    <SidePanel opened title={t("kpis.title")} onClose={onClose} size={520}>
      <Group gap="sm" wrap="nowrap">
        <TextInput
          flex={1}
          aria-label={t("kpis.search")}
          placeholder={t("kpis.search")}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          leftSection={<IconSearch size={16} aria-hidden />}
        />
        <Button variant="default" onClick={() => onChange([])}>
          {t("kpis.usual")}
        </Button>
      </Group>
      {labels.length >= MAX_CHOSEN && (
        <Text size="sm" c="dimmed" role="status">
          {t("kpis.most", { count: MAX_CHOSEN })}
        </Text>
      )}
      {names.map((name) => {
        const formulas = found.filter((kpi) => kpi.kpi === name);
        const first = formulas[0];
        if (!first) return null;
        return (
          <Stack key={name} gap="xs" component="section">
            <Title order={3}>{words.name(first)}</Title>
            {formulas.map((kpi) => {
              const label = labelOf(kpi);
              const fits = fitting.has(label);
              const on = labels.includes(label);
              return (
                <Checkbox
                  key={label}
                  checked={on}
                  disabled={!fits || (!on && labels.length >= MAX_CHOSEN)}
                  onChange={(event) => set(label, event.currentTarget.checked)}
                  label={
                    <Group gap={6}>
                      {kpi.variant && <Badge>{kpi.variant}</Badge>}
                      <Text span size="sm">
                        {words.formula(kpi)}
                      </Text>
                      {kpi.variant && kpi.default_variant && (
                        <Text span size="xs" c="dimmed">
                          {t("kpis.default")}
                        </Text>
                      )}
                    </Group>
                  }
                  description={fits ? undefined : t("kpis.unfit")}
                />
              );
            })}
          </Stack>
        );
      })}
      {names.length === 0 && <Text c="dimmed">{t("kpis.none")}</Text>}
    </SidePanel>
  );
}
