/** How much a tenant may use; empty: as much as it likes. */
import { NumberInput, SimpleGrid, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

export interface Caps {
  max_users: number;
  max_calls: number;
}

interface Props {
  caps: Caps;
  onChange: (caps: Caps) => void;
  /** Users that there are. */
  users?: number;
}

const MOST = 1_000_000;

export function CapFields({ caps, onChange, users = 0 }: Props) {
  const { t } = useTranslation("platform");
  const shown = (value: number) => (value === 0 ? "" : value);
  return (
    <>
      <Text size="sm" c="dimmed">
        {t("limitsHelp")}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label={t("maxUsers")}
          value={shown(caps.max_users)}
          onChange={(value) => onChange({ ...caps, max_users: Number(value) || 0 })}
          min={1}
          max={MOST}
          allowDecimal={false}
          allowNegative={false}
        />
        <NumberInput
          label={t("maxCalls")}
          value={shown(caps.max_calls)}
          onChange={(value) => onChange({ ...caps, max_calls: Number(value) || 0 })}
          min={1}
          max={MOST}
          allowDecimal={false}
          allowNegative={false}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt={-8}>
        {caps.max_users > 0 && caps.max_users < users
          ? t("belowUsers", { count: users })
          : t("maxCallsHelp")}
      </Text>
    </>
  );
}
