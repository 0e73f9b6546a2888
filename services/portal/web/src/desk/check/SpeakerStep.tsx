/** The speaker: a chime, and whether it was heard. */
import { Button, Group, Select, Text } from "@mantine/core";
import { IconVolume } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import { canChooseSpeaker, choose, chosen, devices } from "../phone/devices";
import { chime } from "../phone/tones";
import { Step } from "./Step";

interface Props {
  /** Names of speakers are told once the microphone was allowed. */
  ready: boolean;
  done: boolean;
  onDone: (done: boolean) => void;
}

export function SpeakerStep({ ready, done, onDone }: Props) {
  const { t } = useTranslation("desk");
  const [choices, setChoices] = useState<MediaDeviceInfo[]>([]);
  const [playing, setPlaying] = useState(false);
  const [played, setPlayed] = useState(false);
  const [unheard, setUnheard] = useState(false);
  const { output } = useStore(chosen);
  useEffect(() => {
    if (ready) void devices("audiooutput").then(setChoices, () => undefined);
  }, [ready]);
  const play = async () => {
    setPlaying(true);
    setUnheard(false);
    await chime();
    setPlaying(false);
    setPlayed(true);
  };
  const usual = choices.find((each) => each.deviceId === "default") ?? choices[0];
  return (
    <Step
      name={t("check.speaker")}
      state={done ? "done" : unheard ? "failed" : playing ? "busy" : "waiting"}
      words={t(
        unheard ? "check.speakers.unheard" : done ? "check.speakers.heard" : "check.speakers.lead",
      )}
    >
      {canChooseSpeaker() && choices.length > 0 && (
        <Select
          label={t("check.whichSpeaker")}
          data={choices.map((each) => ({
            value: each.deviceId,
            label: each.label || t("check.unnamed"),
          }))}
          value={
            choices.some((each) => each.deviceId === output) ? output : (usual?.deviceId ?? null)
          }
          onChange={(value) => {
            choose({ output: value ?? "" });
            onDone(false);
            setPlayed(false);
          }}
          allowDeselect={false}
          comboboxProps={{ zIndex: 400 }}
        />
      )}
      <Group gap="xs">
        <Button
          variant={played ? "default" : "light"}
          leftSection={<IconVolume size={18} aria-hidden />}
          loading={playing}
          onClick={() => void play()}
        >
          {t(played ? "check.speakers.again" : "check.speakers.play")}
        </Button>
        {played && !done && (
          <>
            <Text size="sm" fw={560}>
              {t("check.speakers.ask")}
            </Text>
            <Button variant="light" color="teal" onClick={() => onDone(true)}>
              {t("check.speakers.yes")}
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setUnheard(true);
                setPlayed(false);
              }}
            >
              {t("check.speakers.no")}
            </Button>
          </>
        )}
      </Group>
    </Step>
  );
}
