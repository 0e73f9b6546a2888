/** How many waited in a queue over the last quarter of an hour. */
import { useTranslation } from "react-i18next";
import { POINTS, points, stretches } from "./history";
import { useSeen } from "./useHistory";

const WIDTH = 88;
const HEIGHT = 30;
const FLOOR = HEIGHT - 2;
/** A line of few callers is not drawn as high as one of many. */
const LEAST_TOP = 4;

export function QueueLine({ queueId, waiting }: { queueId: string; waiting: number }) {
  const { t } = useTranslation("floor");
  const line = points(useSeen(queueId), Date.now());
  const most = Math.max(waiting, ...line.map((value) => value ?? 0));
  const top = Math.max(LEAST_TOP, most);
  const x = (place: number) => ((place / (POINTS - 1)) * WIDTH).toFixed(1);
  const y = (value: number) => (FLOOR - (value / top) * (HEIGHT - 6)).toFixed(1);
  return (
    <svg
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={t("queues.line", { now: waiting, most })}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      <title>{t("queues.line", { now: waiting, most })}</title>
      <line x1={0} x2={WIDTH} y1={FLOOR} y2={FLOOR} stroke="var(--line)" />
      {stretches(line).map(({ from, values }) => {
        const drawn = values.map((value, place) => `${x(from + place)},${y(value)}`);
        // One look alone is a short dash.
        if (values.length === 1)
          drawn.unshift(`${(Number(x(from)) - 3).toFixed(1)},${y(values[0] ?? 0)}`);
        const first = drawn[0]?.split(",")[0];
        const last = drawn.at(-1)?.split(",")[0];
        return (
          <g key={from}>
            <polygon
              points={`${first},${FLOOR} ${drawn.join(" ")} ${last},${FLOOR}`}
              fill="var(--mantine-primary-color-light)"
            />
            <polyline
              points={drawn.join(" ")}
              fill="none"
              stroke="var(--mantine-primary-color-filled)"
              strokeWidth={1.6}
              strokeLinejoin="round"
              strokeLinecap="round"
            />
          </g>
        );
      })}
    </svg>
  );
}
