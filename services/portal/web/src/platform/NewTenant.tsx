/** A new organisation with its first administrator. */
import { Select, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { regionOptions, zoneOptions } from "@/admin/common/names";
import type { Told } from "@/admin/common/Secret";
import { slug } from "@/admin/common/slug";
import { makePassword } from "@/admin/users/password";
import { api, told } from "@/api/client";
import { LANGUAGE_NAMES, LANGUAGES } from "@/i18n";
import { phoneLibrary } from "@/i18n/phone";
import { SidePanel } from "@/ui/SidePanel";
import { CapFields } from "./CapFields";
import { isName, isUsername } from "./health";

interface Props {
  /** Names that are in use. */
  taken: string[];
  onClose: () => void;
  onMade: (secret: Told) => void;
}

const BROWSER = "browser";

export function NewTenant({ taken, onClose, onMade }: Props) {
  const { t } = useTranslation(["platform", "common"]);
  const client = useQueryClient();
  const [shown, setShown] = useState("");
  const [typed, setTyped] = useState<string | null>(null);
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
  const [region, setRegion] = useState("US");
  const [regions, setRegions] = useState<string[]>(["US"]);
  const [language, setLanguage] = useState(BROWSER);
  const [user, setUser] = useState("admin");
  const [caps, setCaps] = useState({ max_users: 0, max_calls: 0 });
  const [tried, setTried] = useState(false);
  // Made once: a request that is sent again must not carry another one.
  const [password] = useState(makePassword);
  const zones = useMemo(() => zoneOptions(zone), [zone]);
  useEffect(() => {
    void phoneLibrary().then((library) => setRegions(library.getCountries()));
  }, []);
  const name = typed ?? slug(shown).slice(0, 40).replace(/-+$/, "");
  const make = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/tenants", {
          body: {
            tenant: {
              name,
              display_name: shown.trim(),
              time_zone: zone,
              region,
              language: language === BROWSER ? "" : language,
              caps: { ...caps, suspended: false },
            },
            admin_username: user.trim(),
            admin_password: password,
          },
        }),
      ),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["platform"] });
      onMade({
        title: t("created", { name: made.display_name || made.name }),
        text: t("createdText", { user: user.trim(), tenant: made.name }),
        secret: password,
      });
    },
  });
  const missing = !shown.trim();
  const nameFault = !isName(name) ? t("nameBad") : taken.includes(name) && t("nameTaken");
  const userFault = !isUsername(user.trim()) && t("adminBad");
  return (
    <SidePanel
      opened
      title={t("new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (!missing && !nameFault && !userFault) make.mutate();
      }}
      saving={make.isPending}
      problem={make.error}
      dirty={shown !== ""}
      saveLabel={t("create")}
    >
      <TextInput
        label={t("displayName")}
        description={t("displayNameHelp")}
        value={shown}
        onChange={(event) => setShown(event.currentTarget.value)}
        maxLength={200}
        error={tried && missing && t("common:signIn.missing")}
        required
        data-autofocus
      />
      <TextInput
        label={t("name")}
        description={t("nameHelp")}
        value={name}
        onChange={(event) => setTyped(event.currentTarget.value)}
        maxLength={40}
        error={(tried || typed) && nameFault}
        autoComplete="off"
        required
      />
      <Select
        label={t("zone")}
        data={zones}
        value={zone}
        onChange={(value) => value && setZone(value)}
        searchable
        limit={200}
        allowDeselect={false}
        nothingFoundMessage={t("common:table.nothingFound")}
      />
      <Select
        label={t("region")}
        description={t("regionHelp")}
        data={regionOptions(regions)}
        value={region}
        onChange={(value) => value && setRegion(value)}
        searchable
        allowDeselect={false}
        nothingFoundMessage={t("common:table.nothingFound")}
      />
      <Select
        label={t("language")}
        data={[
          { value: BROWSER, label: t("browserLanguage") },
          ...LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] })),
        ]}
        value={language}
        onChange={(value) => value && setLanguage(value)}
        allowDeselect={false}
      />
      <TextInput
        label={t("admin")}
        description={t("createLead")}
        value={user}
        onChange={(event) => setUser(event.currentTarget.value)}
        error={tried && userFault}
        autoComplete="off"
        required
      />
      <Title order={2} fz="md" mt="sm">
        {t("limits")}
      </Title>
      <CapFields caps={caps} onChange={setCaps} />
    </SidePanel>
  );
}
