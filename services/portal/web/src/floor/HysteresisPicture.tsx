/** Why a threshold has two values: a figure that trembles around one of them rings once. */
import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

const WIDTH = 460;
const HEIGHT = 112;
const RAISE = 34;
const CLEAR = 72;
/** A figure that rises past both lines, trembles at the upper one, and falls past both. */
const CURVE = "M8,94 C60,92 80,80 112,60 S140,26 170,26 S196,44 214,42 S240,22 262,24";
const FALL = "S292,46 318,50 S352,84 380,90 S430,94 452,92";
const RAISED_AT = 148;
const CLEARED_AT = 356;

export function HysteresisPicture({ below }: { below: boolean }) {
  const { t } = useTranslation("floor");
  const words = t(below ? "thresholds.pictureBelow" : "thresholds.pictureAbove");
  // Below is the same picture upside down; words stay upright.
  const y = (value: number) => (below ? HEIGHT - value : value);
  const label = (value: number) => y(value) + (below ? 13 : -5);
  return (
    <figure style={{ margin: 0 }}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width="100%"
        role="img"
        aria-label={words}
        style={{ display: "block" }}
      >
        <rect
          x={RAISED_AT}
          y={0}
          width={CLEARED_AT - RAISED_AT}
          height={HEIGHT}
          fill="var(--mantine-primary-color-light)"
          rx={6}
        />
        <g fontSize={12} fill="var(--quiet)">
          <line x1={0} x2={WIDTH} y1={y(RAISE)} y2={y(RAISE)} stroke="var(--state-lost)" />
          <text x={4} y={label(RAISE)}>
            {t("thresholds.raised")}
          </text>
          <line
            x1={0}
            x2={WIDTH}
            y1={y(CLEAR)}
            y2={y(CLEAR)}
            stroke="var(--state-ready)"
            strokeDasharray="5 4"
          />
          <text x={WIDTH - 4} y={label(CLEAR)} textAnchor="end">
            {t("thresholds.clearedLine")}
          </text>
        </g>
        <path
          d={`${CURVE} ${FALL}`}
          fill="none"
          stroke="var(--mantine-primary-color-filled)"
          strokeWidth={2.2}
          strokeLinecap="round"
          {...(below && { transform: `translate(0 ${HEIGHT}) scale(1 -1)` })}
        />
      </svg>
      <Text component="figcaption" size="xs" c="dimmed" mt={4}>
        {words}
      </Text>
    </figure>
  );
}
