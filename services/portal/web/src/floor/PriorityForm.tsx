/** How urgent somebody who waits is. */
import { Button, Group, NumberInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { WaitingRow } from "@/api/boards";
import { api, told } from "@/api/client";
import { ErrorNote } from "@/ui/notes";
import { toast } from "@/ui/toast";

const LEAST = -100;
const MOST = 100;

export function PriorityForm({ row, onDone }: { row: WaitingRow; onDone: () => void }) {
  const { t } = useTranslation(["floor", "common"]);
  // Empty: nothing was typed, so what the feed tells is shown.
  const [typed, setTyped] = useState<number | string>("");
  const value = typed === "" ? Number(row.priority) : Number(typed);
  const wrong = !Number.isInteger(value) || value < LEAST || value > MOST;
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/entries/{entry_id}:change-priority", {
          params: { path: { entry_id: row.entry_id } },
          body: { priority: value },
        }),
      ),
    onSuccess: () => {
      setTyped("");
      toast(t("priority.done", { value }));
      onDone();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) mutate();
  };
  return (
    <form onSubmit={send} noValidate>
      <Group align="flex-end" gap="xs">
        <NumberInput
          label={t("priority.label")}
          description={t("priority.help")}
          value={typed === "" ? Number(row.priority) : typed}
          onChange={setTyped}
          min={LEAST}
          max={MOST}
          clampBehavior="none"
          allowDecimal={false}
          error={wrong ? t("priority.wrong", { least: LEAST, most: MOST }) : undefined}
          w="100%"
          inputContainer={(input) => (
            <Group gap="xs" wrap="nowrap" align="flex-start">
              {input}
              <Button
                type="submit"
                variant="default"
                loading={isPending}
                disabled={wrong || value === Number(row.priority)}
              >
                {t("priority.change")}
              </Button>
            </Group>
          )}
        />
      </Group>
      {error && <ErrorNote problem={error} />}
    </form>
  );
}
