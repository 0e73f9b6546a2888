/** A short sound when an alarm is raised; once for each, and never where it is muted. */
import { useLocalStorage } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { alarms } from "@/api/boards";
import { fresh } from "./alarms";

const KEY = "carillon.floor.muted";
const TONES_HZ = [880, 660];
const TONE_S = 0.22;
const LOUDNESS = 0.12;

let context: AudioContext | null = null;

/** Two tones downwards. A browser in which nobody has clicked yet stays silent. */
async function ring(): Promise<void> {
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume();
  let at = context.currentTime + 0.02;
  for (const hz of TONES_HZ) {
    const tone = new OscillatorNode(context, { frequency: hz, type: "sine" });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + TONE_S);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
    at += TONE_S;
  }
}

export function useAlarmSound(): [muted: boolean, setMuted: (muted: boolean) => void] {
  const [muted, setMuted] = useLocalStorage({
    key: KEY,
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const silent = useRef(muted);
  silent.current = muted;
  useEffect(() => {
    let heard: ReadonlySet<string> | null = null;
    const listen = () => {
      const all = alarms.get();
      if (!all) return;
      const anew = fresh(heard, all.values());
      heard = new Set([...(heard ?? []), ...all.keys()]);
      if (anew.length > 0 && !silent.current) void ring().catch(() => undefined);
    };
    listen();
    return alarms.subscribe(listen);
  }, []);
  return [muted, setMuted];
}
