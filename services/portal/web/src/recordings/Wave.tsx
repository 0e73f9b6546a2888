/** Both sides' waveform: what was heard stands full, what is ahead pale; it is also the slider. */
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";
import { usePart } from "@/api/store";
import { length } from "@/i18n/format";
import type { Sound } from "./useSound";
import { bars } from "./waveform";
import classes from "./Player.module.css";

const BAR_PX = 2;
const GAP_PX = 1;
/** Of a lane's half: silence is a thin line, not nothing. */
const LEAST_PX = 0.75;

interface Props {
  left: Uint8Array;
  right: Uint8Array;
  durationMs: number;
  sound: Sound;
}

export function Wave({ left, right, durationMs, sound }: Props) {
  const { t } = useTranslation("recordings");
  const scheme = useComputedColorScheme("light");
  const { ref: size, width, height } = useElementSize<HTMLDivElement>();
  const ahead = useRef<HTMLCanvasElement>(null);
  const passed = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const second = usePart(sound.at, (atMs) => Math.floor(atMs / 1000));

  useEffect(() => {
    for (const canvas of [ahead.current, passed.current])
      if (canvas && width > 0) paint(canvas, { left, right, width, height });
    // The colours are those of the scheme: it is painted anew with it.
  }, [left, right, width, height, scheme]);

  useEffect(() => {
    const show = () => {
      const part = durationMs > 0 ? Math.min(1, sound.at.get() / durationMs) : 0;
      box.current?.style.setProperty("--at", `${(part * 100).toFixed(3)}%`);
    };
    show();
    return sound.at.subscribe(show);
  }, [sound.at, durationMs]);

  const seekTo = (event: PointerEvent<HTMLDivElement>) => {
    const around = event.currentTarget.getBoundingClientRect();
    sound.seek(((event.clientX - around.left) / around.width) * durationMs);
  };
  return (
    <div
      ref={box}
      className={classes.wave}
      role="slider"
      tabIndex={0}
      aria-label={t("player.position")}
      aria-valuemin={0}
      aria-valuemax={Math.floor(durationMs / 1000)}
      aria-valuenow={second}
      aria-valuetext={t("player.of", { at: length(second * 1000), all: length(durationMs) })}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
      }}
    >
      <div ref={size} style={{ position: "absolute", inset: 0 }} />
      <canvas ref={ahead} className={classes.ahead} aria-hidden />
      <canvas ref={passed} className={classes.passed} aria-hidden />
      <div className={classes.needle} />
    </div>
  );
}

interface Picture {
  left: Uint8Array;
  right: Uint8Array;
  width: number;
  height: number;
}

function paint(canvas: HTMLCanvasElement, { left, right, width, height }: Picture): void {
  const dots = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const brush = canvas.getContext("2d");
  if (!brush) return;
  brush.scale(dots, dots);
  const style = getComputedStyle(canvas);
  const count = Math.floor(width / (BAR_PX + GAP_PX));
  const half = height / 4;
  const lanes = [
    { levels: left, middle: half, color: style.getPropertyValue("--wave-caller") },
    { levels: right, middle: half * 3, color: style.getPropertyValue("--wave-other") },
  ];
  for (const { levels, middle, color } of lanes) {
    brush.fillStyle = color.trim();
    bars(levels, count).forEach((part, place) => {
      const tall = Math.max(LEAST_PX, part * (half - 3));
      brush.fillRect(place * (BAR_PX + GAP_PX), middle - tall, BAR_PX, tall * 2);
    });
  }
}
