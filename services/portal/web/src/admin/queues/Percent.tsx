/** A share of all, 1 to 100 percent, below its label. */
import { NumberInput } from "@mantine/core";

interface Props {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
}

export function Percent({ label, value, onChange }: Props) {
  return (
    <NumberInput
      aria-label={label}
      value={Number(value)}
      onChange={(next) =>
        onChange(String(Math.min(100, Math.max(1, Math.round(Number(next) || 1)))))
      }
      min={1}
      max={100}
      allowDecimal={false}
      suffix=" %"
    />
  );
}
