/** A length that people think of in seconds and the API in milliseconds. */
import { NumberInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";

interface Props {
  label: string;
  /** True: the label stands above already; it is only said. */
  bare?: boolean;
  help?: string;
  value: string | undefined;
  onChange: (value: string) => void;
  most?: number;
  error?: string | false;
}

export function Seconds({
  label,
  bare = false,
  help,
  value,
  onChange,
  most = 86_400,
  error,
}: Props) {
  const { t } = useTranslation();
  return (
    <NumberInput
      {...(bare ? { "aria-label": label } : { label })}
      description={help}
      value={ms(value) / 1000}
      onChange={(next) => onChange(String(Math.round((Number(next) || 0) * 1000)))}
      min={0}
      max={most}
      suffix={` ${t("unit.seconds")}`}
      error={error}
    />
  );
}
