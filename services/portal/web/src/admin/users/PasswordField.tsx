/** A first password: typed, or made up. */
import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { IconDice5 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { makePassword } from "./password";

interface Props {
  value: string;
  onChange: (password: string) => void;
  error?: string | false;
}

export function PasswordField({ value, onChange, error }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  return (
    <TextInput
      label={t("users.password")}
      description={t("users.passwordHelp")}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
      autoComplete="off"
      spellCheck={false}
      required
      rightSection={
        <Tooltip label={t("users.makePassword")}>
          <ActionIcon aria-label={t("users.makePassword")} onClick={() => onChange(makePassword())}>
            <IconDice5 size={18} />
          </ActionIcon>
        </Tooltip>
      }
    />
  );
}
