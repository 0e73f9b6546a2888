/** Asks for the name of a skill. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  title: string;
  first: string;
  onClose: () => void;
  /** False: the name is taken. */
  onName: (name: string) => boolean;
}

export function SkillName({ title, first, onClose, onName }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [name, setName] = useState(first);
  const [fault, setFault] = useState(false);
  const send = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (onName(name.trim())) onClose();
    else setFault(true);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size="sm"
      closeButtonProps={{ "aria-label": t("common:action.close") }}
    >
      <form onSubmit={send}>
        <Stack>
          <TextInput
            label={t("users.skill")}
            description={t("skills.nameHelp")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={64}
            error={fault && t("skills.nameTaken")}
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t("common:action.cancel")}
            </Button>
            <Button type="submit">{t("common:action.done")}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
