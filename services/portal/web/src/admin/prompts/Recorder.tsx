/** Records a prompt with the microphone, and shows that it hears something. */
import { Button, Group, Progress, Text } from "@mantine/core";
import { IconMicrophone, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Since } from "@/ui/Ticking";
import { toastProblem } from "@/ui/toast";
import { LONGEST_S, wavOf } from "./wav";

interface Recording {
  recorder: MediaRecorder;
  stop: () => void;
}

export function Recorder({ onSound }: { onSound: (sound: Blob) => void }) {
  const { t } = useTranslation("admin");
  const [sinceMs, setSince] = useState(0);
  const [level, setLevel] = useState(0);
  const [refused, setRefused] = useState(false);
  const going = useRef<Recording | null>(null);
  const left = useRef(false);
  useEffect(() => {
    left.current = false;
    return () => {
      left.current = true;
      going.current?.stop();
    };
  }, []);
  const start = async () => {
    setRefused(false);
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      return setRefused(true);
    }
    // The browser may have been asking for longer than anybody cared to look.
    if (left.current) return stream.getTracks().forEach((track) => track.stop());
    const context = new AudioContext();
    const meter = context.createAnalyser();
    meter.fftSize = 1024;
    context.createMediaStreamSource(stream).connect(meter);
    const samples = new Float32Array(meter.fftSize);
    const drawn = setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      setLevel(Math.min(100, Math.max(0, 100 + 20 * Math.log10(loud + 1e-6) * 1.8)));
    }, 80);
    const recorder = new MediaRecorder(stream);
    const parts: Blob[] = [];
    const longest = setTimeout(() => recorder.stop(), LONGEST_S * 1000);
    const free = () => {
      clearInterval(drawn);
      clearTimeout(longest);
      stream.getTracks().forEach((track) => track.stop());
      void context.close();
      going.current = null;
      setSince(0);
    };
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = () => {
      free();
      wavOf(new Blob(parts, { type: recorder.mimeType })).then(onSound, toastProblem);
    };
    going.current = {
      recorder,
      stop: () => {
        recorder.onstop = null;
        free();
      },
    };
    recorder.start();
    setSince(Date.now());
  };
  if (sinceMs > 0)
    return (
      <Group gap="sm" wrap="nowrap">
        <Button
          color="red"
          leftSection={<IconPlayerStop size={16} aria-hidden />}
          onClick={() => going.current?.recorder.stop()}
        >
          {t("prompts.stop")}
        </Button>
        <Since ms={sinceMs} />
        <Progress value={level} flex={1} aria-label={t("prompts.level")} />
      </Group>
    );
  return (
    <Group gap="sm">
      <Button
        variant="default"
        leftSection={<IconMicrophone size={16} aria-hidden />}
        onClick={() => void start()}
      >
        {t("prompts.record")}
      </Button>
      {refused && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {t("prompts.noMicrophone")}
        </Text>
      )}
    </Group>
  );
}
