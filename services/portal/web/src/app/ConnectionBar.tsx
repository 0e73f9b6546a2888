/** Says when the live connection is away; nothing while all is well. */
import { Button, Group, Text } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { link, retryNow, softphoneIs } from "@/api/feed";
import { useStore } from "@/api/store";
import classes from "./ConnectionBar.module.css";

/** A loss shorter than this is not worth a word. */
const PATIENCE_MS = 1_500;

export function ConnectionBar() {
  const { t } = useTranslation();
  const state = useStore(link);
  const { online } = useNetwork();
  const away = state === "lost" || !online;
  const [long, setLong] = useState(false);
  useEffect(() => {
    if (!away) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [away]);
  if (state === "replaced")
    return (
      <Bar
        text={t("link.replaced")}
        button={t("link.takeBack")}
        onClick={() => softphoneIs(true)}
      />
    );
  if (!away || !long) return null;
  return (
    <Bar
      text={t(online ? "link.lost" : "link.offline")}
      button={t("link.retry")}
      onClick={retryNow}
    />
  );
}

function Bar({ text, button, onClick }: { text: string; button: string; onClick: () => void }) {
  return (
    <Group className={classes.bar} gap="sm" px="md" py={8} role="alert">
      <IconPlugConnectedX size={18} aria-hidden />
      <Text size="sm" fw={560}>
        {text}
      </Text>
      <Button size="compact-sm" variant="white" color="dark" onClick={onClick}>
        {button}
      </Button>
    </Group>
  );
}
