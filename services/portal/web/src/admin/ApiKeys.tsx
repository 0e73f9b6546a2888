/** Keys by which programs ask. */
import { Badge, Button, Checkbox, Select, Stack, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { day, when } from "@/i18n/format";
import { ask } from "@/ui/Ask";
import { DataTable, type Column } from "@/ui/DataTable";
import { NewButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { SidePanel } from "@/ui/SidePanel";
import { each, tell } from "./common/bulk";
import { useApiKeys, useFresh } from "./common/data";
import { RoleBadges } from "./common/RoleBadges";
import { Secret, type Told } from "./common/Secret";

type ApiKey = Schema<"portal.v1.ApiKey">;

const DAY_MS = 86_400_000;
const LENGTHS = ["30", "90", "365", "0"] as const;
const ROLES = ["agent", "supervisor", "administrator"] as const;

function stateOf(key: ApiKey): "works" | "revoked" | "expired" {
  if (ms(key.revoked_at_ms)) return "revoked";
  return ms(key.expires_at_ms) && ms(key.expires_at_ms) < Date.now() ? "expired" : "works";
}

const COLORS = { works: "teal", revoked: "gray", expired: "orange" } as const;

export default function ApiKeys() {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const found = useApiKeys();
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<Told | null>(null);
  const revoke = async (keys: ApiKey[], clear: () => void) => {
    const text = t("keys.sure", { count: keys.length, name: keys[0]?.name });
    if (!(await ask({ text, yes: t("keys.revoke") }))) return;
    tell(
      await each(keys, ({ key_id }) =>
        told(api.DELETE("/v1/api-keys/{key_id}", { params: { path: { key_id } } })),
      ),
    );
    clear();
    fresh("keys");
  };
  const columns: Column<ApiKey>[] = [
    { id: "name", title: t("keys.name"), value: (row) => row.name },
    {
      id: "prefix",
      title: t("keys.prefix"),
      value: (row) => `${row.prefix}…`,
      from: "md",
    },
    {
      id: "roles",
      title: t("keys.roles"),
      value: (row) => row.roles.join(" "),
      cell: (row) => <RoleBadges roles={row.roles} />,
      from: "sm",
    },
    {
      id: "used",
      title: t("keys.used"),
      value: (row) => ms(row.last_used_at_ms),
      cell: (row) => when(ms(row.last_used_at_ms)) || t("keys.never"),
      from: "md",
    },
    {
      id: "expires",
      title: t("keys.expires"),
      value: (row) => ms(row.expires_at_ms) || Number.MAX_SAFE_INTEGER,
      cell: (row) => (ms(row.expires_at_ms) ? day(ms(row.expires_at_ms)) : t("keys.never")),
      from: "sm",
    },
    {
      id: "state",
      title: t("keys.state"),
      value: (row) => t(`keys.${stateOf(row)}`),
      cell: (row) => <Badge color={COLORS[stateOf(row)]}>{t(`keys.${stateOf(row)}`)}</Badge>,
    },
    {
      id: "do",
      title: "",
      value: () => "",
      sort: false,
      align: "right",
      cell: (row) =>
        stateOf(row) === "works" && (
          <Button
            variant="subtle"
            color="red"
            size="compact-sm"
            onClick={() => void revoke([row], () => undefined)}
            aria-label={t("keys.revokeOne", { name: row.name })}
          >
            {t("keys.revoke")}
          </Button>
        ),
    },
  ];
  const create = <NewButton onClick={() => setCreating(true)}>{t("keys.new")}</NewButton>;
  return (
    <Page
      title={t("common:nav.api-keys")}
      lead={t("keys.lead")}
      actions={(found.data?.length ?? 0) > 0 && create}
    >
      <DataTable
        label={t("common:nav.api-keys")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.key_id}
        problem={found.error}
        onRetry={() => void found.refetch()}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "state",
            label: t("keys.state"),
            options: (["works", "expired", "revoked"] as const).map((value) => ({
              value,
              label: t(`keys.${value}`),
            })),
            matches: (row, chosen) => stateOf(row) === chosen,
          },
        ]}
        empty={
          <Empty icon={IconKey} title={t("keys.none")} action={create}>
            {t("keys.noneHelp")}
          </Empty>
        }
        bulk={(chosen, clear) => (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              const working = chosen.filter((key) => stateOf(key) === "works");
              if (working.length > 0) void revoke(working, clear);
            }}
          >
            {t("keys.revoke")}
          </Button>
        )}
      />
      {creating && (
        <CreateKey
          onClose={() => setCreating(false)}
          onMade={(made) => {
            setCreating(false);
            setSecret(made);
            fresh("keys");
          }}
        />
      )}
      <Secret told={secret} onClose={() => setSecret(null)} />
    </Page>
  );
}

function CreateKey({ onClose, onMade }: { onClose: () => void; onMade: (told: Told) => void }) {
  const { t } = useTranslation(["admin", "common"]);
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<string[]>([]);
  const [days, setDays] = useState<string>("90");
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () =>
      told(
        api.POST("/v1/api-keys", {
          body: {
            name: name.trim(),
            roles,
            expires_at_ms: days === "0" ? 0 : Date.now() + Number(days) * DAY_MS,
          },
        }),
      ),
    onSuccess: ({ secret }) =>
      onMade({ title: t("keys.made"), text: t("keys.madeText", { name: name.trim() }), secret }),
  });
  return (
    <SidePanel
      opened
      title={t("keys.new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (name.trim() && roles.length > 0) create.mutate();
      }}
      saving={create.isPending}
      problem={create.error}
      dirty={name !== "" || roles.length > 0}
      saveLabel={t("common:action.create")}
    >
      <TextInput
        label={t("keys.name")}
        description={t("keys.nameHelp")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
        error={tried && !name.trim() && t("common:signIn.missing")}
        required
        data-autofocus
      />
      <Checkbox.Group
        label={t("keys.roles")}
        description={t("keys.rolesHelp")}
        value={roles}
        onChange={setRoles}
        error={tried && roles.length === 0 && t("users.fault.roles")}
        required
      >
        <Stack gap="xs" mt={4}>
          {ROLES.map((role) => (
            <Checkbox
              key={role}
              value={role}
              label={t(`common:role.${role}`)}
              description={t(`keys.can.${role}`)}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Select
        label={t("keys.expires")}
        description={t("keys.expiresHelp")}
        data={LENGTHS.map((value) => ({ value, label: t(`keys.length.${value}`) }))}
        value={days}
        onChange={(value) => value && setDays(value)}
        allowDeselect={false}
      />
    </SidePanel>
  );
}
