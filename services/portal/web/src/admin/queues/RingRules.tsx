/** What follows when an agent was rung and did not answer, outcome by outcome. */
import { Anchor, Checkbox, NumberInput, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";
import { inheritedRing, OUTCOMES, type Defaults, type RingRule } from "./rules";

interface Props {
  rules: RingRule[];
  onChange: (rules: RingRule[]) => void;
  /** What a queue inherits from; undefined: only the platform. */
  defaults: Defaults | undefined;
}

export function RingRules({ rules, onChange, defaults }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const seconds = ` ${t("common:unit.seconds")}`;
  return (
    <Table verticalSpacing={6} horizontalSpacing={6} fz="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("ring.outcome")}</Table.Th>
          <Table.Th>{t("ring.rest")}</Table.Th>
          <Table.Th>{t("ring.strike")}</Table.Th>
          <Table.Th />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {OUTCOMES.map((outcome) => {
          const own = rules.find((rule) => rule.outcome === outcome);
          const rule = own ?? inheritedRing(outcome, defaults).value;
          const others = rules.filter((each) => each.outcome !== outcome);
          const put = (next: Partial<RingRule>) => onChange([...others, { ...rule, ...next }]);
          const label = t(`ring.${outcome}`);
          return (
            <Table.Tr key={outcome}>
              <Table.Td>{label}</Table.Td>
              <Table.Td>
                {own ? (
                  <NumberInput
                    aria-label={`${label}: ${t("ring.rest")}`}
                    size="xs"
                    w={90}
                    min={0}
                    value={ms(rule.rest_ms) / 1000}
                    onChange={(next) => put({ rest_ms: String((Number(next) || 0) * 1000) })}
                    suffix={seconds}
                  />
                ) : (
                  <Text size="sm" c="dimmed">
                    {ms(rule.rest_ms) / 1000}
                    {seconds}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Checkbox
                  size="xs"
                  aria-label={`${label}: ${t("ring.strike")}`}
                  checked={rule.strike}
                  disabled={!own}
                  onChange={(event) => put({ strike: event.currentTarget.checked })}
                />
              </Table.Td>
              <Table.Td ta="right">
                <Anchor
                  component="button"
                  type="button"
                  size="xs"
                  onClick={() => (own ? onChange(others) : put({}))}
                  aria-label={t(own ? "inherit.unsetOf" : "inherit.setOf", { label })}
                >
                  {t(own ? "inherit.unset" : "inherit.set")}
                </Anchor>
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
