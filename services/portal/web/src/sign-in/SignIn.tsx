/** The way in. */
import {
  Anchor,
  Button,
  Group,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES } from "@/i18n";
import { ErrorNote } from "@/ui/notes";
import classes from "./SignIn.module.css";

const TENANT = "carillon.tenant";

export default function SignIn({ ended }: { ended: boolean }) {
  const { t, i18n } = useTranslation();
  const given = new URLSearchParams(location.search).get("tenant");
  const [tenant, setTenant] = useState(given ?? localStorage.getItem(TENANT) ?? "");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [sent, setSent] = useState(false);
  useDocumentTitle(`${t("signIn.title")} · ${t("app.name")}`);
  const signIn = useMutation({
    mutationFn: () => told(api.POST("/v1/sessions", { body: { tenant, username, password } })),
    onSuccess: (answer) => {
      localStorage.setItem(TENANT, tenant);
      session.begin(answer);
    },
    onError: () => setPassword(""),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (tenant && username && password) signIn.mutate();
  };
  const missing = (value: string) => sent && !signIn.error && !value && t("signIn.missing");
  return (
    <main className={classes.page}>
      <Paper className={`panel ${classes.card}`}>
        <form onSubmit={send} noValidate>
          <Stack gap="md">
            <Group gap="sm">
              <img src="/bell.svg" alt="" width={40} height={40} />
              <Text fw={680} fz={24} className={classes.brand}>
                {t("app.name")}
              </Text>
            </Group>
            <div>
              <Title order={1}>{t("signIn.title")}</Title>
              <Text c="dimmed" size="sm" mt={4}>
                {t(ended ? "signIn.again" : "signIn.lead")}
              </Text>
            </div>
            {signIn.error && <ErrorNote problem={signIn.error} />}
            <TextInput
              label={t("signIn.tenant")}
              description={t("signIn.tenantHelp")}
              value={tenant}
              onChange={(event) => setTenant(event.currentTarget.value.trim())}
              autoComplete="organization"
              autoCapitalize="none"
              spellCheck={false}
              error={missing(tenant)}
              autoFocus={!tenant}
              size="md"
            />
            <TextInput
              label={t("signIn.username")}
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value.trim())}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              error={missing(username)}
              autoFocus={Boolean(tenant)}
              size="md"
            />
            <PasswordInput
              label={t("signIn.password")}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              autoComplete="current-password"
              error={missing(password)}
              size="md"
            />
            <Button type="submit" size="md" fullWidth loading={signIn.isPending}>
              {t("signIn.submit")}
            </Button>
          </Stack>
        </form>
      </Paper>
      <Group gap="md" justify="center" mt="md">
        {LANGUAGES.map((language) => (
          <Anchor
            key={language}
            component="button"
            type="button"
            size="sm"
            lang={language}
            fw={i18n.language === language ? 650 : 400}
            aria-pressed={i18n.language === language}
            onClick={() => void chooseLanguage(language)}
          >
            {LANGUAGE_NAMES[language]}
          </Anchor>
        ))}
      </Group>
    </main>
  );
}
