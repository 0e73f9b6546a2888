/** One person: who they are, what they may do, and which contacts reach them. */
import { Alert, Button, Checkbox, Group, Stack, Switch, TextInput } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import { ms, type User } from "@/api/types";
import type { Option } from "@/contacts/people";
import { hourMinute } from "@/i18n/format";
import { ask } from "@/ui/Ask";
import { SidePanel } from "@/ui/SidePanel";
import { toast, toastProblem } from "@/ui/toast";
import type { AgentConfig } from "../common/data";
import type { Told } from "../common/Secret";
import { draftOf, faultsOf, ROLES, routingChanged, routingOf } from "./model";
import { makePassword } from "./password";
import { PasswordField } from "./PasswordField";
import { RoutingFields } from "./RoutingFields";

interface Props {
  /** null: somebody new. */
  old: User | null;
  config: AgentConfig | undefined;
  all: User[];
  queues: Option[];
  /** Names of skills that anybody has. */
  skills: string[];
  onClose: () => void;
  /** Something was changed; with a password that must be told. */
  onDone: (told?: Told) => void;
}

export function UserPanel(props: Props) {
  const { old, config, all, onClose, onDone } = props;
  const { t } = useTranslation(["admin", "common"]);
  const [first] = useState(() => draftOf(old, config));
  const [draft, setDraft] = useState(first);
  const [tried, setTried] = useState(false);
  // Somebody was created, but not their routing: saving again goes on from there.
  const [made, setMade] = useState<User | null>(null);
  const agent = draft.roles.includes("agent");
  const taken = all.map((user) => user.username.toLowerCase());
  const faults = faultsOf(draft, !old, made ? [] : taken);
  const wrong = (name: (typeof faults)[number]) =>
    tried && faults.includes(name) && t(`users.fault.${name}`);
  const name = draft.display_name.trim();
  const save = useMutation({
    mutationFn: async (): Promise<Told | undefined> => {
      const body = {
        username: draft.username,
        display_name: name,
        email: draft.email.trim(),
        roles: draft.roles,
        active: draft.active,
      };
      let user_id = old?.user_id ?? made?.user_id ?? "";
      if (old && config && !agent)
        await told(
          api.DELETE("/v1/agents/{agent_id}", { params: { path: { agent_id: user_id } } }),
        );
      if (user_id) {
        await told(api.PATCH("/v1/users/{user_id}", { params: { path: { user_id } }, body }));
      } else {
        const user = await told(
          api.POST("/v1/users", { body: { user: body, password: draft.password } }),
        );
        setMade(user);
        user_id = user.user_id;
      }
      if (agent && routingChanged(draft, config))
        await told(
          api.PUT("/v1/agents/{agent_id}", {
            params: { path: { agent_id: user_id } },
            body: routingOf(draft, config),
          }),
        );
      return old
        ? undefined
        : {
            title: t("users.made", { name }),
            text: t("users.madeText", { username: draft.username }),
            secret: draft.password,
          };
    },
    onSuccess: (secret) => {
      if (!secret) toast(t("common:saved"));
      onDone(secret);
    },
  });
  const newPassword = async () => {
    if (!old) return;
    const text = t("users.surePassword", { name });
    if (!(await ask({ text, yes: t("users.newPassword"), danger: false }))) return;
    const password = makePassword();
    told(
      api.POST("/v1/users/{user_id}:set-password", {
        params: { path: { user_id: old.user_id } },
        body: { password },
      }),
    ).then(
      () =>
        onDone({
          title: t("users.newPasswordTitle", { name }),
          text: t("users.madeText", { username: old.username }),
          secret: password,
        }),
      toastProblem,
    );
  };
  const remove = async () => {
    if (!old) return;
    const text = t("users.sureRemove", { name });
    if (!(await ask({ text, yes: t("common:action.remove") }))) return;
    told(api.DELETE("/v1/users/{user_id}", { params: { path: { user_id: old.user_id } } })).then(
      () => {
        toast(t("users.removed", { name }));
        onDone();
      },
      toastProblem,
    );
  };
  const locked = ms(old?.locked_until_ms) > Date.now();
  return (
    <SidePanel
      opened
      title={old ? old.display_name || old.username : t("users.new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (faults.length === 0) save.mutate();
      }}
      saving={save.isPending}
      problem={save.error}
      dirty={draft !== first}
      size={560}
      saveLabel={t(old ? "common:action.save" : "common:action.create")}
      aside={
        old &&
        old.user_id !== session.me()?.id && (
          <Button variant="subtle" color="red" onClick={() => void remove()}>
            {t("common:action.remove")}
          </Button>
        )
      }
    >
      {locked && (
        <Alert color="orange" variant="light" icon={<IconLock aria-hidden />}>
          {t("users.locked", { until: hourMinute(ms(old?.locked_until_ms)) })}
        </Alert>
      )}
      <TextInput
        label={t("users.name")}
        value={draft.display_name}
        onChange={(event) => setDraft({ ...draft, display_name: event.currentTarget.value })}
        error={wrong("name")}
        maxLength={200}
        required
        data-autofocus
      />
      <TextInput
        label={t("users.username")}
        description={t(old ? "users.usernameStays" : "users.usernameHelp")}
        value={draft.username}
        onChange={(event) => setDraft({ ...draft, username: event.currentTarget.value.trim() })}
        error={wrong("username") || wrong("taken")}
        readOnly={old !== null}
        variant={old ? "filled" : "default"}
        autoComplete="off"
        required={!old}
      />
      <TextInput
        label={t("users.email")}
        type="email"
        value={draft.email}
        onChange={(event) => setDraft({ ...draft, email: event.currentTarget.value })}
        error={wrong("email")}
      />
      {!old && (
        <PasswordField
          value={draft.password}
          onChange={(password) => setDraft({ ...draft, password })}
          error={wrong("password")}
        />
      )}
      <Checkbox.Group
        label={t("users.roles")}
        value={draft.roles}
        onChange={(roles) => setDraft({ ...draft, roles })}
        error={wrong("roles")}
      >
        <Stack gap="xs" mt={4}>
          {ROLES.map((role) => (
            <Checkbox
              key={role}
              value={role}
              label={t(`common:role.${role}`)}
              description={t(`users.may.${role}`)}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      {agent && (
        <RoutingFields
          draft={draft}
          onChange={setDraft}
          queues={props.queues}
          skills={props.skills}
          error={wrong("skills")}
        />
      )}
      {old && (
        <Group justify="space-between" align="flex-end">
          <Switch
            label={t("users.mayCome")}
            description={t("users.mayComeHelp")}
            checked={draft.active}
            onChange={(event) => setDraft({ ...draft, active: event.currentTarget.checked })}
          />
          <Button variant="default" onClick={() => void newPassword()}>
            {t(locked ? "users.unlock" : "users.newPassword")}
          </Button>
        </Group>
      )}
    </SidePanel>
  );
}
