/** How loud the microphone is, as a bar and in a word. */
import { Text } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { audioContext } from "../phone/tones";
import { HEARD_LEVEL, levelOf } from "./level";
import classes from "../Desk.module.css";

const WORD_MS = 500;
const CALM_MS = 300;

interface Props {
  stream: MediaStream;
  /** Called once the microphone has heard something. */
  onHeard: () => void;
}

export function LevelMeter({ stream, onHeard }: Props) {
  const { t } = useTranslation("desk");
  const bar = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(0);
  const calm = useReducedMotion();
  const heard = useRef(onHeard);
  useEffect(() => {
    heard.current = onHeard;
  });
  useEffect(() => {
    const context = audioContext();
    const source = context.createMediaStreamSource(stream);
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    let level = 0;
    let frame = 0;
    let drawnAt = 0;
    const draw = (now: number) => {
      analyser.getFloatTimeDomainData(wave);
      level = Math.max(levelOf(wave), level * 0.9);
      if (level >= HEARD_LEVEL) heard.current();
      if (!calm || now - drawnAt > CALM_MS) {
        drawnAt = now;
        if (bar.current) bar.current.style.transform = `scaleX(${level.toFixed(3)})`;
      }
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    const words = setInterval(() => setShown(Math.round(level * 100)), WORD_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(words);
      source.disconnect();
    };
  }, [stream, calm]);
  const word = shown < 10 ? "quiet" : shown < 85 ? "good" : "loud";
  return (
    <div>
      <div
        className={classes.meter}
        role="meter"
        aria-label={t("check.level")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={shown}
        aria-valuetext={t(`check.levels.${word}`)}
      >
        <div ref={bar} />
      </div>
      <Text size="xs" c="dimmed" mt={4}>
        {t(`check.levels.${word}`)}
      </Text>
    </div>
  );
}
