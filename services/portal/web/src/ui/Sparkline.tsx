/** A small line of the last values. */
interface Props {
  values: number[];
  /** What it shows, in words. */
  label: string;
  width?: number;
  height?: number;
}

export function Sparkline({ values, label, width = 120, height = 32 }: Props) {
  const top = Math.max(1, ...values);
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const y = (value: number) => height - 3 - (value / top) * (height - 6);
  const points = values.map(
    (value, place) => `${(place * step).toFixed(1)},${y(value).toFixed(1)}`,
  );
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label={label}
      viewBox={`0 0 ${width} ${height}`}
    >
      <polygon
        points={`0,${height} ${points.join(" ")} ${width},${height}`}
        fill="var(--mantine-primary-color-light)"
      />
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth={1.6}
        strokeLinejoin="round"
      />
    </svg>
  );
}
