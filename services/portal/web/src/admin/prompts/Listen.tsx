/** Plays a sound: one that is here already, or a prompt's that is fetched to be heard. */
import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { raw } from "@/api/client";
import { toastProblem } from "@/ui/toast";

export function Sound({ sound, autoPlay = false }: { sound: Blob; autoPlay?: boolean }) {
  const { t } = useTranslation("admin");
  const address = useMemo(() => URL.createObjectURL(sound), [sound]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <audio controls src={address} autoPlay={autoPlay} aria-label={t("prompts.sound")} />;
}

export function Listen({ promptId, sha256 }: { promptId: string; sha256: string }) {
  const { t } = useTranslation("admin");
  const [sound, setSound] = useState<{ of: string; blob: Blob } | null>(null);
  if (sound?.of === sha256) return <Sound sound={sound.blob} autoPlay />;
  return (
    <Button
      variant="light"
      leftSection={<IconPlayerPlay size={16} aria-hidden />}
      onClick={() => {
        raw(`/v1/prompts/${encodeURIComponent(promptId)}/audio.wav`)
          .then(async (answer) => setSound({ of: sha256, blob: await answer.blob() }))
          .catch(toastProblem);
      }}
    >
      {t("prompts.listen")}
    </Button>
  );
}
