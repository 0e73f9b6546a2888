/** A question before something that can not be taken back. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { store, useStore } from "@/api/store";

interface Question {
  title: string;
  text: string;
  /** The word on the button that does it. */
  yes: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}

const open = store<Question | null>(null);

/** Asks, and says whether the person said yes. */
export function ask(
  question: Partial<Omit<Question, "answer">> & { text: string; yes: string },
): Promise<boolean> {
  open.get()?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      open.set(null);
      resolve(yes);
    };
    open.set({ title: "", danger: true, ...question, answer });
  });
}

/** True: a question waits for its answer, and what is below it must not hear the keyboard. */
export function useIsAsking(): boolean {
  return useStore(open) !== null;
}

/** Where questions appear; once in the application. */
export function Questions() {
  const { t } = useTranslation();
  const question = useStore(open);
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
