/** An id that follows the name until it is typed; afterwards it does not change. */
import { Anchor, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  id: string;
  onChange: (id: string) => void;
  /** False: it is there already. */
  fresh: boolean;
  error?: string | false | undefined;
}

export function IdField({ id, onChange, fresh, error }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [typed, setTyped] = useState(false);
  if (!fresh || (!typed && !error))
    return (
      <Text size="sm" c="dimmed" mt={-8}>
        {t("id.is", { id: id || "…" })}{" "}
        {fresh && (
          <Anchor component="button" type="button" size="sm" onClick={() => setTyped(true)}>
            {t("id.change")}
          </Anchor>
        )}
      </Text>
    );
  return (
    <TextInput
      label={t("id.label")}
      description={t("id.help")}
      value={id}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
    />
  );
}
