/** The whole stretch in figures, each with what it was before. */
import { Group, Paper, SimpleGrid, Skeleton, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { figure as written } from "@/i18n/format";
import { InfoButton } from "./FigureInfo";
import { useKpiWords } from "./kpiWords";
import { figureOf, type Kpi, type ReportRow, type ReportState } from "./state";
import classes from "./Reports.module.css";

interface Props {
  kpis: Kpi[];
  row: ReportRow | undefined;
  before: ReportRow | undefined;
  state: ReportState;
}

export function Totals({ kpis, row, before, state }: Props) {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="md">
      {kpis.map((kpi) => {
        const figure = figureOf(row, kpi);
        const old = figureOf(before, kpi);
        return (
          <Paper key={`${kpi.kpi} ${kpi.variant}`} className={`panel ${classes.tile}`}>
            <Group justify="space-between" gap={4} wrap="nowrap" align="flex-start">
              <Text size="sm" c="dimmed" fw={530}>
                {words.name(kpi)}
                {kpi.variant && (
                  <Text span size="xs" ml={6}>
                    {kpi.variant}
                  </Text>
                )}
              </Text>
              <InfoButton
                kpi={kpi}
                figure={figure}
                behind={{
                  range: state.range,
                  queues: state.queues,
                  agents: state.agents,
                  thresholdS: state.thresholdS,
                }}
              />
            </Group>
            {row ? (
              <div className={`${classes.value} tabular`}>{written(figure)}</div>
            ) : (
              <Skeleton height={30} width={90} my={4} />
            )}
            {state.compare && (
              <Text size="xs" c="dimmed" className="tabular">
                {t("before.was", { value: written(old) })}
              </Text>
            )}
          </Paper>
        );
      })}
    </SimpleGrid>
  );
}
