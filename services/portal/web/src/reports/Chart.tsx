/** A drawing of figures; the table below it says the same. ECharts is fetched with it. */
import { useComputedColorScheme } from "@mantine/core";
import { BarChart, LineChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from "echarts/components";
import { init, use as withParts, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef, useState } from "react";
import classes from "./Reports.module.css";

withParts([
  BarChart,
  LineChart,
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  SVGRenderer,
]);

export interface Series {
  name: string;
  /** null: no value. */
  values: (number | null)[];
  /** Drawn more quietly: the period before. */
  quiet: boolean;
}

interface Props {
  label: string;
  categories: string[];
  series: Series[];
  /** Lines through time, else bars side by side. */
  lines: boolean;
  write: (value: number) => string;
  /** What the highest mark may be at least. */
  top?: number | undefined;
}

/** Where bars are not too many, each has its name below it, cut where it is too long. */
const MOST_NAMED = 16;
/** What the marks at the side take of the width. */
const AXIS_PX = 72;

function labelling(lines: boolean, count: number, width: number) {
  if (lines || count > MOST_NAMED) return { hideOverlap: true };
  const room = Math.max(0, width - AXIS_PX) / Math.max(1, count);
  return { interval: 0, width: Math.max(24, room - 8), overflow: "truncate" as const };
}

export default function Chart({ label, categories, series, lines, write, top }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [width, setWidth] = useState(0);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    if (!box.current) return;
    const made = init(box.current, null, { renderer: "svg" });
    chart.current = made;
    const watch = new ResizeObserver(() => {
      made.resize();
      setWidth(made.getWidth());
    });
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const [loud, calm, line, text] = [
      color("--wave-caller"),
      color("--quiet"),
      color("--line"),
      color("--quiet"),
    ];
    chart.current?.setOption(
      {
        animation: false,
        aria: { enabled: true, label: { description: label } },
        grid: {
          left: 8,
          right: 16,
          top: series.length > 1 ? 36 : 16,
          bottom: 8,
          containLabel: true,
        },
        ...(series.length > 1 && {
          legend: { top: 0, left: 0, icon: "roundRect", textStyle: { color: text } },
        }),
        tooltip: {
          trigger: "axis",
          confine: true,
          backgroundColor: color("--panel"),
          borderColor: line,
          textStyle: { color: scheme === "dark" ? "#d7dbe2" : "#1a1e25", fontSize: 13 },
          valueFormatter: (value: unknown) => (typeof value === "number" ? write(value) : "–"),
        },
        xAxis: {
          type: "category",
          data: categories,
          boundaryGap: !lines,
          axisLabel: { color: text, ...labelling(lines, categories.length, width) },
          axisLine: { lineStyle: { color: line } },
          axisTick: { show: false },
        },
        yAxis: {
          type: "value",
          min: 0,
          ...(top !== undefined && { max: top }),
          axisLabel: { color: text, formatter: (value: number) => write(value) },
          splitLine: { lineStyle: { color: line } },
        },
        series: series.map(({ name, values, quiet }) => ({
          name,
          data: values,
          type: lines ? "line" : "bar",
          color: quiet ? calm : loud,
          barMaxWidth: 36,
          itemStyle: { borderRadius: [4, 4, 0, 0], opacity: quiet ? 0.45 : 1 },
          showSymbol: values.length < 40,
          symbolSize: 6,
          connectNulls: false,
          lineStyle: { width: quiet ? 1.6 : 2.4, type: quiet ? "dashed" : "solid" },
          ...(lines && !quiet && { areaStyle: { opacity: 0.08 } }),
        })),
      },
      { notMerge: true },
    );
  }, [label, categories, series, lines, write, top, scheme, width]);
  return <div ref={box} className={classes.chart} role="img" aria-label={label} />;
}
