/** One's own password. */
import { Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { useStore } from "@/api/store";
import { ErrorNote } from "@/ui/notes";
import { toast } from "@/ui/toast";
import { changingPassword } from "./password";

const SHORTEST = 12;

export function ChangePassword() {
  const { t } = useTranslation();
  const opened = useStore(changingPassword);
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [sent, setSent] = useState(false);
  useEffect(() => () => changingPassword.set(false), []);
  const close = () => {
    setOld("");
    setNext("");
    setSent(false);
    change.reset();
    changingPassword.set(false);
  };
  const change = useMutation({
    mutationFn: () =>
      told(api.POST("/v1/me:change-password", { body: { old_password: old, new_password: next } })),
    onSuccess: () => {
      toast(t("me.passwordChanged"));
      close();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (old && next.length >= SHORTEST) change.mutate();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("me.password")}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <form onSubmit={send} noValidate>
        <Stack>
          {change.error && <ErrorNote problem={change.error} />}
          <PasswordInput
            label={t("me.oldPassword")}
            value={old}
            onChange={(event) => setOld(event.currentTarget.value)}
            autoComplete="current-password"
            error={sent && !old && t("signIn.missing")}
            data-autofocus
          />
          <PasswordInput
            label={t("me.newPassword")}
            description={t("me.newPasswordHelp")}
            value={next}
            onChange={(event) => setNext(event.currentTarget.value)}
            autoComplete="new-password"
            error={sent && next.length < SHORTEST && t("me.passwordTooShort")}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t("action.cancel")}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {t("action.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
