/** The agent's own day in figures; fetched anew after each contact. */
import { Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { figure } from "@/i18n/format";
import { ErrorNote } from "@/ui/notes";
import classes from "./Desk.module.css";

const SHOWN = [
  "handled",
  "rings_unanswered",
  "average_handle_time",
  "average_talk_time",
  "average_hold_time",
  "after_call_work",
  "occupancy",
  "calls_per_hour",
] as const;

export function OwnFigures() {
  const { t } = useTranslation("desk");
  const { data, error, refetch } = useQuery({
    queryKey: ["desk", "figures"],
    queryFn: () => told(api.GET("/v1/desk/figures")),
  });
  if (error && !data) return <ErrorNote problem={error} onRetry={() => void refetch()} />;
  return (
    <Paper className={`panel ${classes.card}`} component="section" aria-labelledby="day-title">
      <Title order={2} id="day-title" fz="md" mb="sm">
        {t("figures.title")}
      </Title>
      <Stack gap={9}>
        {SHOWN.map((kpi) => (
          <Group key={kpi} justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" c="dimmed">
              {t(`figures.${kpi}`)}
            </Text>
            {data ? (
              <Text size="sm" fw={600} className="tabular">
                {figure(data.figures.find((each) => each.kpi === kpi))}
              </Text>
            ) : (
              <Skeleton height={16} width={44} />
            )}
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
