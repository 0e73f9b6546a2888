/** What the organisation is called, where it is, and what it may use. */
import { Button, Group, Paper, Select, SimpleGrid, Stack, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import type { Tenant } from "@/api/types";
import { LANGUAGE_NAMES, LANGUAGES } from "@/i18n";
import { count } from "@/i18n/format";
import { phoneLibrary } from "@/i18n/phone";
import { ErrorNote, Rows } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { Tile } from "@/ui/Tile";
import { toast } from "@/ui/toast";
import { useUnsaved } from "@/ui/unsaved";
import { useFresh, useTenant, useUsers } from "./common/data";
import { regionOptions, zoneOptions } from "./common/names";

const BROWSER = "browser";

export default function Settings() {
  const { t } = useTranslation(["admin", "common"]);
  const tenant = useTenant();
  return (
    <Page title={t("common:nav.settings")} lead={t("settings.lead")}>
      {tenant.data ? (
        <>
          <Form tenant={tenant.data} />
          <Caps tenant={tenant.data} />
        </>
      ) : tenant.error ? (
        <ErrorNote problem={tenant.error} onRetry={() => void tenant.refetch()} />
      ) : (
        <Rows rows={5} height={62} />
      )}
    </Page>
  );
}

function Form({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const [draft, setDraft] = useState(tenant);
  const [regions, setRegions] = useState<string[]>([tenant.region]);
  const zones = useMemo(() => zoneOptions(tenant.time_zone), [tenant.time_zone]);
  useEffect(() => {
    void phoneLibrary().then((library) => setRegions(library.getCountries()));
  }, []);
  const save = useMutation({
    mutationFn: () => {
      const { display_name, time_zone, region, language } = draft;
      return told(
        api.PATCH("/v1/tenant", {
          body: { display_name: display_name.trim(), time_zone, region, language },
        }),
      );
    },
    onSuccess: async (saved) => {
      setDraft(saved);
      fresh("tenant");
      toast(t("common:saved"));
      session.meIs(await told(api.GET("/v1/me")));
    },
  });
  const missing = !draft.display_name.trim();
  const dirty = JSON.stringify(draft) !== JSON.stringify(tenant);
  useUnsaved(dirty && !save.isPending);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) save.mutate();
  };
  return (
    <Paper className="panel" p="lg" maw={720}>
      <form onSubmit={send} noValidate>
        <Stack>
          {save.error && <ErrorNote problem={save.error} />}
          <TextInput
            label={t("settings.name")}
            description={t("settings.nameHelp")}
            value={tenant.name}
            readOnly
            variant="filled"
          />
          <TextInput
            label={t("settings.displayName")}
            value={draft.display_name}
            onChange={(event) => setDraft({ ...draft, display_name: event.currentTarget.value })}
            maxLength={200}
            error={missing && t("common:signIn.missing")}
            required
          />
          <Select
            label={t("settings.zone")}
            description={t("settings.zoneHelp")}
            data={zones}
            value={draft.time_zone}
            onChange={(time_zone) => time_zone && setDraft({ ...draft, time_zone })}
            searchable
            limit={200}
            allowDeselect={false}
            nothingFoundMessage={t("common:table.nothingFound")}
          />
          <Select
            label={t("settings.region")}
            description={t("settings.regionHelp")}
            data={regionOptions(regions)}
            value={draft.region}
            onChange={(region) => region && setDraft({ ...draft, region })}
            searchable
            allowDeselect={false}
            nothingFoundMessage={t("common:table.nothingFound")}
          />
          <Select
            label={t("settings.language")}
            description={t("settings.languageHelp")}
            data={[
              { value: BROWSER, label: t("settings.browserLanguage") },
              ...LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] })),
            ]}
            value={draft.language || BROWSER}
            onChange={(chosen) =>
              setDraft({ ...draft, language: chosen && chosen !== BROWSER ? chosen : "" })
            }
            allowDeselect={false}
          />
          <Group justify="flex-end">
            {dirty && (
              <Button variant="default" onClick={() => setDraft(tenant)}>
                {t("common:action.undo")}
              </Button>
            )}
            <Button type="submit" loading={save.isPending} disabled={!dirty}>
              {t("common:action.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

function Caps({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation(["admin", "common"]);
  const users = useUsers();
  const active = users.data?.filter((user) => user.active).length;
  const cap = (most: number | undefined) => (most ? count(most) : t("settings.noCap"));
  return (
    <Stack gap="sm" maw={720}>
      <Title order={2}>{t("settings.caps")}</Title>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Tile
          label={t("settings.maxUsers")}
          value={cap(tenant.caps?.max_users)}
          note={active === undefined ? "" : t("settings.usersNow", { count: active })}
        />
        <Tile
          label={t("settings.maxCalls")}
          value={cap(tenant.caps?.max_calls)}
          note={t("settings.capsHelp")}
        />
      </SimpleGrid>
    </Stack>
  );
}
