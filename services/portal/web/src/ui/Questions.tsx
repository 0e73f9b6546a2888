/** Where questions appear; once in the application. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useStore } from "@/api/store";
import { asked } from "./Ask";

export function Questions() {
  const { t } = useTranslation();
  const question = useStore(asked);
  return (
    <Modal
      opened={question !== null}
      onClose={() => question?.answer(false)}
      title={question?.title || t("confirm.title")}
      size="sm"
      // Above side panels, whose layer is 200; it is often they that ask.
      zIndex={300}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      {question && (
        <Stack>
          <Text size="sm">{question.text}</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => question.answer(false)} data-autofocus>
              {t("action.cancel")}
            </Button>
            <Button color={question.danger ? "red" : "bell"} onClick={() => question.answer(true)}>
              {question.yes}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
