/** A figure's formula, variant and version, and the records behind it. */
import { ActionIcon, Anchor, Badge, Divider, Group, Popover, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "@/app/go";
import { count, figure as written, length } from "@/i18n/format";
import { behindAddress, KINDS, labelOf } from "./behind";
import { useKpiWords } from "./kpiWords";
import type { Range } from "./ranges";
import type { Figure, Kpi } from "./state";

/** Of what a figure is made, so that the records can be asked for. */
export interface Behind {
  range: Range;
  queues: string[];
  agents: string[];
  thresholdS: number;
}

interface Props {
  kpi: Kpi;
  figure?: Figure | undefined;
  behind?: Behind | undefined;
}

export function FigureInfo({ kpi, figure, behind }: Props) {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  return (
    <Stack gap={6}>
      <Group gap="xs">
        <Text fw={600}>{words.name(kpi)}</Text>
        {kpi.variant && <Badge>{kpi.variant}</Badge>}
        <Text size="xs" c="dimmed">
          {t("info.version", { version: kpi.version })}
        </Text>
      </Group>
      <Text size="sm">{words.formula(kpi)}</Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {kpi.formula}
      </Text>
      {figure && (
        <>
          <Divider my={4} />
          <Text size="sm" className="tabular" fw={600}>
            {written(figure)}
          </Text>
          <Part kpi={kpi} figure={figure} behind={behind} denominator={false} />
          {kpi.denominator && <Part kpi={kpi} figure={figure} behind={behind} denominator />}
        </>
      )}
    </Stack>
  );
}

function Part(props: Required<Pick<Props, "kpi">> & Props & { denominator: boolean }) {
  const { t } = useTranslation("reports");
  const { kpi, figure, behind, denominator } = props;
  const part = denominator ? kpi.denominator : kpi.numerator;
  const value = (denominator ? figure?.denominator : figure?.numerator) ?? 0;
  const said = part?.unit === "ms" ? length(value) : count(value);
  const kind = KINDS.find((each) => each === part?.records) ?? "entries";
  return (
    <Group justify="space-between" gap="md" wrap="nowrap">
      <Text size="sm" c="dimmed">
        {t(denominator ? "info.below" : "info.above")}:{" "}
        <Text span className="tabular" c="var(--mantine-color-text)">
          {said}
        </Text>
      </Text>
      {behind && value > 0 && (
        <Anchor
          component={Link}
          size="sm"
          href={behindAddress({
            label: labelOf(kpi),
            records: kind,
            denominator,
            ...behind.range,
            queues: behind.queues,
            agents: behind.agents,
            ...(behind.thresholdS > 0 && { thresholdS: behind.thresholdS }),
          })}
        >
          {t(`info.open.${kind}`)}
        </Anchor>
      )}
    </Group>
  );
}

/** The sign beside a name that tells its formula. */
export function InfoButton({ kpi, figure, behind }: Props) {
  const { t } = useTranslation("reports");
  const words = useKpiWords();
  return (
    <InfoPopover info={<FigureInfo kpi={kpi} figure={figure} behind={behind} />}>
      <ActionIcon size="sm" aria-label={t("info.about", { figure: words.full(kpi) })}>
        <IconInfoCircle size={16} aria-hidden />
      </ActionIcon>
    </InfoPopover>
  );
}

export function InfoPopover({ info, children }: { info: ReactNode; children: ReactNode }) {
  return (
    <Popover width={320} shadow="md" withArrow trapFocus returnFocus>
      <Popover.Target>{children}</Popover.Target>
      <Popover.Dropdown>{info}</Popover.Dropdown>
    </Popover>
  );
}
