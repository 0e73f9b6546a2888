/** Who said what in SIP, as a ladder and as a table. */
import { Box, Group, SegmentedControl, Stack, Table, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { clock } from "@/i18n/format";
import { HEAD, layout, type Arrow, type LadderStep } from "./ladder";
import classes from "./Ladder.module.css";

const ROLES = ["caller", "agent", "external", "gateway"] as const;
type Role = (typeof ROLES)[number];

/** `14:05:09.123`: within a call milliseconds matter. */
function exact(atMs: number): string {
  return `${clock(atMs)}.${String(atMs % 1000).padStart(3, "0")}`;
}

export function LadderDiagram({ steps }: { steps: LadderStep[] }) {
  const { t } = useTranslation("contacts");
  const narrow = useMediaQuery("(max-width: 700px)");
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = chosen ?? (narrow ? "table" : "drawing");
  const role = (name: string) =>
    ROLES.includes(name as Role) ? t(`ladder.${name as Role}`) : name;
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Stack gap={2}>
          <Title order={2} fz="1rem">
            {t("ladder.title")}
          </Title>
          <Text size="sm" c="dimmed">
            {t(steps.length > 0 ? "ladder.lead" : "ladder.none")}
          </Text>
        </Stack>
        {steps.length > 0 && (
          <SegmentedControl
            size="xs"
            aria-label={t("ladder.title")}
            value={shown}
            onChange={setChosen}
            data={[
              { value: "drawing", label: t("ladder.drawing") },
              { value: "table", label: t("ladder.table") },
            ]}
          />
        )}
      </Group>
      {steps.length > 0 && shown === "drawing" && <Drawing steps={steps} role={role} />}
      {steps.length > 0 && shown === "table" && (
        <Table.ScrollContainer minWidth={0} type="native">
          <Table verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("ladder.at")}</Table.Th>
                <Table.Th>{t("ladder.who")}</Table.Th>
                <Table.Th>{t("ladder.message")}</Table.Th>
                <Table.Th visibleFrom="sm">{t("ladder.transaction")}</Table.Th>
                <Table.Th visibleFrom="sm">{t("ladder.peer")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {steps.map((step, place) => (
                <Table.Tr key={place}>
                  <Table.Td className="tabular">{exact(Number(step.at_ms))}</Table.Td>
                  <Table.Td>
                    {step.sent
                      ? `${t("ladder.gateway")} → ${role(step.role)}`
                      : `${role(step.role)} → ${t("ladder.gateway")}`}
                  </Table.Td>
                  <Table.Td>{withTimes(step.line, step.times)}</Table.Td>
                  <Table.Td visibleFrom="sm">{step.cseq}</Table.Td>
                  <Table.Td visibleFrom="sm" className="tabular">
                    {step.peer}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}

function withTimes(line: string, times: number): string {
  return times > 1 ? `${line} ×${times}` : line;
}

function Drawing({ steps, role }: { steps: LadderStep[]; role: (name: string) => string }) {
  const { t } = useTranslation("contacts");
  const ladder = layout(steps);
  return (
    <Box className={classes.scroll} tabIndex={0} role="group" aria-label={t("ladder.drawing")}>
      <svg
        width={ladder.width}
        height={ladder.height}
        viewBox={`0 0 ${ladder.width} ${ladder.height}`}
        role="img"
        aria-label={t("ladder.described", { count: steps.length })}
        className={classes.ladder}
      >
        {ladder.lanes.map((lane) => (
          <g key={lane.legId || "gateway"}>
            <line
              x1={lane.x}
              x2={lane.x}
              y1={HEAD - 6}
              y2={ladder.height}
              className={classes.lane}
            />
            <rect x={lane.x - 78} y={4} width={156} height={42} rx={8} className={classes.head} />
            <text x={lane.x} y={lane.peer ? 22 : 30} className={classes.name}>
              {role(lane.role)}
            </text>
            {lane.peer && (
              <text x={lane.x} y={38} className={classes.peer}>
                {lane.peer}
              </text>
            )}
          </g>
        ))}
        {ladder.arrows.map((arrow, place) => (
          <Message key={place} arrow={arrow} />
        ))}
      </svg>
    </Box>
  );
}

function Message({ arrow }: { arrow: Arrow }) {
  const way = Math.sign(arrow.toX - arrow.fromX);
  const tip = `${arrow.toX},${arrow.y} ${arrow.toX - way * 8},${arrow.y - 4} ${arrow.toX - way * 8},${arrow.y + 4}`;
  return (
    <g data-failed={arrow.failed || undefined} className={classes.message}>
      <text x={4} y={arrow.y + 4} className={classes.time}>
        {exact(arrow.atMs)}
      </text>
      <line x1={arrow.fromX} x2={arrow.toX - way * 6} y1={arrow.y} y2={arrow.y} />
      <polygon points={tip} />
      <text x={(arrow.fromX + arrow.toX) / 2} y={arrow.y - 6} className={classes.line}>
        {withTimes(arrow.line, arrow.times)}
      </text>
    </g>
  );
}
