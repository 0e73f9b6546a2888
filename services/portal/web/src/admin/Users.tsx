/** Who may come in, and what they may do. */
import { Badge, Button, Group, Menu, Text } from "@mantine/core";
import { IconChevronDown, IconFileUpload, IconPlus, IconUsers } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type User } from "@/api/types";
import { useQueueOptions } from "@/contacts/people";
import { when } from "@/i18n/format";
import { ask } from "@/ui/Ask";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { each, tell } from "./common/bulk";
import { useAgentConfigs, useFresh, useUsers } from "./common/data";
import { RoleBadges } from "./common/RoleBadges";
import { Secret, type Told } from "./common/Secret";
import { ROLES } from "./users/model";
import { UserPanel } from "./users/UserPanel";
import { UsersImport } from "./users/UsersImport";

type State = "active" | "inactive" | "locked";

function stateOf(user: User): State {
  if (!user.active) return "inactive";
  return ms(user.locked_until_ms) > Date.now() ? "locked" : "active";
}

const COLORS: Record<State, string> = { active: "teal", inactive: "gray", locked: "orange" };

export default function Users() {
  const { t } = useTranslation(["admin", "common"]);
  const fresh = useFresh();
  const found = useUsers();
  const configs = useAgentConfigs();
  const queues = useQueueOptions();
  const [open, setOpen] = useState<User | "new" | null>(null);
  const [importing, setImporting] = useState(false);
  const [secret, setSecret] = useState<Told | null>(null);
  const routing = useMemo(
    () => new Map(configs.data?.map((config) => [config.agent_id, config]) ?? []),
    [configs.data],
  );
  const queueNames = (user: User) =>
    (routing.get(user.user_id)?.queues ?? [])
      .map(({ queue_id }) => queues.find((queue) => queue.value === queue_id)?.label ?? queue_id)
      .join(", ");
  const change = async (users: User[], next: Partial<User>, clear: () => void) => {
    tell(
      await each(users, ({ user_id, ...user }) =>
        told(
          api.PATCH("/v1/users/{user_id}", {
            params: { path: { user_id } },
            body: { ...user, ...next },
          }),
        ),
      ),
    );
    clear();
    fresh("users");
  };
  const deactivate = async (users: User[], clear: () => void) => {
    const text = t("users.sureDeactivate", { count: users.length });
    if (await ask({ text, yes: t("users.deactivate") }))
      await change(users, { active: false }, clear);
  };
  const give = async (users: User[], role: (typeof ROLES)[number], clear: () => void) => {
    const text = t("users.sureRole", {
      count: users.length,
      role: t(`common:role.${role}`),
    });
    if (await ask({ text, yes: t("users.setRole"), danger: false }))
      await change(users, { roles: [role] }, clear);
  };
  const columns: Column<User>[] = [
    {
      id: "name",
      title: t("users.name"),
      value: (row) => `${row.display_name} ${row.username}`,
      cell: (row) => (
        <>
          {row.display_name || row.username}
          <Text size="xs" c="dimmed">
            {row.username}
          </Text>
        </>
      ),
    },
    {
      id: "roles",
      title: t("users.roles"),
      value: (row) => row.roles.join(" "),
      cell: (row) => <RoleBadges roles={row.roles} />,
    },
    { id: "queues", title: t("users.queues"), value: (row) => queueNames(row) || "–", from: "md" },
    { id: "email", title: t("users.email"), value: (row) => row.email || "–", from: "lg" },
    {
      id: "state",
      title: t("users.state"),
      value: (row) => t(`users.is.${stateOf(row)}`),
      cell: (row) => <Badge color={COLORS[stateOf(row)]}>{t(`users.is.${stateOf(row)}`)}</Badge>,
      from: "sm",
    },
    {
      id: "seen",
      title: t("users.seen"),
      value: (row) => ms(row.last_seen_at_ms),
      cell: (row) => when(ms(row.last_seen_at_ms)) || t("keys.never"),
      from: "lg",
      align: "right",
    },
  ];
  return (
    <Page
      title={t("common:nav.users")}
      lead={t("users.lead")}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconFileUpload size={16} aria-hidden />}
            onClick={() => setImporting(true)}
          >
            {t("common:action.import")}
          </Button>
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen("new")}>
            {t("users.new")}
          </Button>
        </>
      }
    >
      <DataTable
        label={t("common:nav.users")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.user_id}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={setOpen}
        sortBy={{ id: "name" }}
        filters={[
          {
            id: "role",
            label: t("users.role"),
            options: ROLES.map((value) => ({ value, label: t(`common:role.${value}`) })),
            matches: (row, role) => row.roles.includes(role),
          },
          {
            id: "state",
            label: t("users.state"),
            options: (["active", "inactive", "locked"] as const).map((value) => ({
              value,
              label: t(`users.is.${value}`),
            })),
            matches: (row, state) => stateOf(row) === state,
          },
          {
            id: "queue",
            label: t("dispositions.queue"),
            options: queues,
            matches: (row, queue) =>
              routing.get(row.user_id)?.queues.some((each) => each.queue_id === queue) ?? false,
          },
        ]}
        empty={<Empty icon={IconUsers} title={t("common:empty")} />}
        bulk={(chosen, clear) => (
          <Group gap="xs">
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => void change(chosen, { active: true }, clear)}
            >
              {t("users.activate")}
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => void deactivate(chosen, clear)}
            >
              {t("users.deactivate")}
            </Button>
            <Menu>
              <Menu.Target>
                <Button
                  size="compact-sm"
                  variant="default"
                  rightSection={<IconChevronDown size={14} aria-hidden />}
                >
                  {t("users.setRole")}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {ROLES.map((role) => (
                  <Menu.Item key={role} onClick={() => void give(chosen, role, clear)}>
                    {t(`common:role.${role}`)}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </Group>
        )}
      />
      {open && (configs.data || configs.error) && (
        <UserPanel
          key={open === "new" ? "" : open.user_id}
          old={open === "new" ? null : open}
          config={open === "new" ? undefined : routing.get(open.user_id)}
          all={found.data ?? []}
          queues={queues}
          skills={[
            ...new Set(configs.data?.flatMap((one) => one.skills.map((skill) => skill.name)) ?? []),
          ].sort()}
          onClose={() => setOpen(null)}
          onDone={(told) => {
            setOpen(null);
            if (told) setSecret(told);
            fresh("users", "agents");
          }}
        />
      )}
      {importing && (
        <UsersImport
          queues={queues}
          onClose={() => setImporting(false)}
          onMade={() => fresh("users", "agents")}
        />
      )}
      <Secret told={secret} onClose={() => setSecret(null)} />
    </Page>
  );
}
