/** Before the first call: microphone, speaker and the way to the server are tried. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { checkPassed, stopChecking } from "../phone/softphone";
import { MicrophoneStep } from "./MicrophoneStep";
import { NotifyStep } from "./NotifyStep";
import { PathStep } from "./PathStep";
import { SpeakerStep } from "./SpeakerStep";

export default function DeviceCheck() {
  const { t } = useTranslation(["desk", "common"]);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [heard, setHeard] = useState(false);
  const [speaker, setSpeaker] = useState(false);
  const [path, setPath] = useState(false);
  const passed = stream !== null && heard && speaker && path;
  return (
    <Modal
      opened
      onClose={stopChecking}
      title={t("desk:check.title")}
      size="lg"
      closeButtonProps={{ "aria-label": t("common:action.close") }}
      closeOnClickOutside={false}
    >
      <Stack gap="lg">
        <Text size="sm" c="dimmed">
          {t("desk:check.lead")}
        </Text>
        <MicrophoneStep
          stream={stream}
          heard={heard}
          onStream={(next) => {
            setStream(next);
            setHeard(false);
            setPath(false);
          }}
          onHeard={() => setHeard(true)}
        />
        <SpeakerStep ready={stream !== null} done={speaker} onDone={setSpeaker} />
        <PathStep stream={stream} done={path} onDone={setPath} />
        <NotifyStep />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={stopChecking}>
            {t("common:action.cancel")}
          </Button>
          <Button disabled={!passed} onClick={checkPassed}>
            {t("desk:check.finish")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
