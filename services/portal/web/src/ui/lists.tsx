/** What many lists have: the buttons above and below them, and a cell. */
import { Button, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface ButtonProps {
  onClick: () => void;
}

/** Makes a new one of what the list shows. */
export function NewButton({ onClick, children }: ButtonProps & { children: ReactNode }) {
  return (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={onClick}>
      {children}
    </Button>
  );
}

/** Removes the chosen rows; what it calls asks first. */
export function RemoveButton({ onClick }: ButtonProps) {
  const { t } = useTranslation();
  return (
    <Button size="compact-sm" variant="light" color="red" onClick={onClick}>
      {t("action.remove")}
    </Button>
  );
}

/** What something is called, and below it what flows and the API call it. */
export function Named({ name, id }: { name: string; id: string }) {
  return (
    <>
      {name || id}
      <Text size="xs" c="dimmed">
        {id}
      </Text>
    </>
  );
}
