/** The microphone: may it be used, which one, and does it hear anything. */
import { Button, Group, Select } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import {
  browserIs,
  choose,
  chosen,
  devices,
  micFault,
  microphone,
  stop,
  type MicFault,
} from "../phone/devices";
import { LevelMeter } from "./LevelMeter";
import { Step } from "./Step";

interface Props {
  stream: MediaStream | null;
  heard: boolean;
  onStream: (stream: MediaStream | null) => void;
  onHeard: () => void;
}

export function MicrophoneStep({ stream, heard, onStream, onHeard }: Props) {
  const { t } = useTranslation("desk");
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<MicFault | null>(null);
  const [choices, setChoices] = useState<MediaDeviceInfo[]>([]);
  const { input } = useStore(chosen);
  const latest = useRef<MediaStream | null>(null);
  const gone = useRef(false);
  const open = async () => {
    setAsking(true);
    stop(latest.current);
    try {
      const next = await microphone();
      // Closed while the browser was still asking: the light must not stay on.
      if (gone.current) return stop(next);
      latest.current = next;
      setFault(null);
      onStream(next);
      setChoices(await devices("audioinput"));
    } catch (thrown) {
      latest.current = null;
      onStream(null);
      setFault(micFault(thrown));
    } finally {
      setAsking(false);
    }
  };
  useEffect(() => {
    gone.current = false;
    void open();
    return () => {
      gone.current = true;
      stop(latest.current);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once when the check opens; later by hand
  }, []);
  const words = fault
    ? fault === "denied"
      ? t(`check.denied.${browserIs()}`)
      : t(`check.mic.${fault}`)
    : asking && !stream
      ? t("check.mic.asking")
      : heard
        ? t("check.mic.heard")
        : t("check.mic.speak");
  const used = stream?.getAudioTracks()[0]?.getSettings().deviceId ?? input;
  return (
    <Step
      name={t("check.microphone")}
      state={fault ? "failed" : heard ? "done" : "busy"}
      words={words}
    >
      {stream && (
        <>
          <Select
            label={t("check.whichMicrophone")}
            data={choices.map((each) => ({
              value: each.deviceId,
              label: each.label || t("check.unnamed"),
            }))}
            value={choices.some((each) => each.deviceId === used) ? used : null}
            onChange={(value) => {
              choose({ input: value ?? "" });
              void open();
            }}
            allowDeselect={false}
            comboboxProps={{ zIndex: 400 }}
          />
          <LevelMeter stream={stream} onHeard={onHeard} />
        </>
      )}
      {fault && (
        <Group>
          <Button variant="light" onClick={() => void open()} loading={asking}>
            {t("check.again")}
          </Button>
        </Group>
      )}
    </Step>
  );
}
