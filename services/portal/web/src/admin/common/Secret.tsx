/** Something that is told once: a password or the secret of a key, and how to keep it. */
import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconEyeOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

export interface Told {
  title: string;
  /** Whose it is, or what it is for. */
  text: string;
  secret: string;
}

export function Secret({ told, onClose }: { told: Told | null; onClose: () => void }) {
  const { t } = useTranslation(["admin", "common"]);
  return (
    <Modal
      opened={told !== null}
      onClose={onClose}
      title={told?.title}
      // It is never shown again: no slip of the hand may close it.
      closeOnClickOutside={false}
      closeOnEscape={false}
      closeButtonProps={{ "aria-label": t("common:action.close") }}
    >
      {told && (
        <Stack>
          <Text size="sm">{told.text}</Text>
          <Group gap="xs" wrap="nowrap" align="stretch">
            <Code block flex={1} fz="md" style={{ overflowWrap: "anywhere", whiteSpace: "normal" }}>
              {told.secret}
            </Code>
            <CopyButton value={told.secret}>
              {({ copied, copy }) => (
                <Button
                  variant="light"
                  h="auto"
                  onClick={copy}
                  leftSection={
                    copied ? (
                      <IconCheck size={16} aria-hidden />
                    ) : (
                      <IconCopy size={16} aria-hidden />
                    )
                  }
                >
                  {t(copied ? "common:action.copied" : "common:action.copy")}
                </Button>
              )}
            </CopyButton>
          </Group>
          <Alert color="orange" variant="light" icon={<IconEyeOff aria-hidden />}>
            {t("secret.once")}
          </Alert>
          <Group justify="flex-end">
            <Button onClick={onClose}>{t("secret.kept")}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
