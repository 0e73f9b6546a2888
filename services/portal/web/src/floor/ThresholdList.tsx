/** What is watched. */
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconBell, IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { all } from "@/api/all";
import { api, told } from "@/api/client";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { useMeasure } from "./measures";
import type { Threshold } from "./thresholds";
import { useQueueName } from "./useQueues";
import classes from "./Floor.module.css";

export const THRESHOLDS = ["floor", "thresholds"] as const;

/** `null` is a new one. */
export function ThresholdList({ onEdit }: { onEdit: (threshold: Threshold | null) => void }) {
  const { t } = useTranslation(["floor", "common"]);
  const query = useQuery({
    queryKey: THRESHOLDS,
    queryFn: () =>
      all(
        (page) => told(api.GET("/v1/thresholds", { params: { query: page } })),
        (answer) => answer.thresholds,
      ),
  });
  if (query.error && !query.data)
    return <ErrorNote problem={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Rows rows={4} height={56} />;
  const add = (
    <Button
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => onEdit(null)}
      style={{ alignSelf: "flex-start" }}
    >
      {t("thresholds.add")}
    </Button>
  );
  if (query.data.length === 0)
    return (
      <Empty icon={IconBell} title={t("thresholds.none")} action={add}>
        {t("thresholds.noneHelp")}
      </Empty>
    );
  return (
    <Stack gap="sm">
      {add}
      <div>
        {query.data.map((threshold) => (
          <Row key={threshold.threshold_id} threshold={threshold} onEdit={onEdit} />
        ))}
      </div>
    </Stack>
  );
}

function Row(props: { threshold: Threshold; onEdit: (threshold: Threshold) => void }) {
  const { threshold, onEdit } = props;
  const { t } = useTranslation(["floor", "common"]);
  const measure = useMeasure();
  const queueName = useQueueName();
  const value = (of: number) => measure.value(threshold.measure, of);
  return (
    <Group className={classes.threshold} justify="space-between" wrap="nowrap">
      <div style={{ minWidth: 0 }}>
        <Group gap={8}>
          <Text fw={600} size="sm">
            {threshold.name}
          </Text>
          <Badge color={threshold.severity === "critical" ? "red" : "orange"}>
            {t(`severity.${threshold.severity === "critical" ? "critical" : "warning"}`)}
          </Badge>
          {!threshold.active && <Badge color="gray">{t("thresholds.paused")}</Badge>}
        </Group>
        <Text size="sm" c="dimmed">
          {[
            threshold.queue_id ? queueName(threshold.queue_id) : t("alarms.tenant"),
            t(threshold.direction === "below" ? "thresholds.below" : "thresholds.above", {
              measure: measure.name(threshold.measure),
              raise: value(threshold.raise_at),
              clear: value(threshold.clear_at),
            }),
          ].join(" · ")}
        </Text>
      </div>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t("thresholds.editOf", { name: threshold.name })}
        onClick={() => onEdit(threshold)}
      >
        {t("common:action.edit")}
      </Button>
    </Group>
  );
}
