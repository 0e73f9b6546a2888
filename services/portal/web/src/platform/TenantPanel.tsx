/** One tenant: how it is doing, what it may use, and whether it may be used at all. */
import { Button, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { count, day } from "@/i18n/format";
import { ask } from "@/ui/Ask";
import { SidePanel } from "@/ui/SidePanel";
import { Tile } from "@/ui/Tile";
import { toast } from "@/ui/toast";
import { CapFields, type Caps } from "./CapFields";
import { isOwn, reasonsOf, stateOf, type Health } from "./health";
import { TenantState } from "./TenantState";

export function TenantPanel({ health, onClose }: { health: Health; onClose: () => void }) {
  const { t } = useTranslation(["platform", "common"]);
  const client = useQueryClient();
  const { tenant } = health;
  const name = tenant?.display_name || (tenant?.name ?? "");
  const now: Caps = {
    max_users: tenant?.caps?.max_users ?? 0,
    max_calls: tenant?.caps?.max_calls ?? 0,
  };
  const suspended = tenant?.caps?.suspended ?? false;
  const [caps, setCaps] = useState(now);
  const dirty = caps.max_users !== now.max_users || caps.max_calls !== now.max_calls;
  const set = useMutation({
    mutationFn: (next: Caps & { suspended: boolean }) =>
      told(
        api.POST("/v1/tenants/{tenant_id}:set-caps", {
          params: { path: { tenant_id: tenant?.tenant_id ?? "" } },
          body: { caps: next },
        }),
      ),
    onSuccess: async (_, next) => {
      await client.invalidateQueries({ queryKey: ["platform"] });
      if (next.suspended === suspended) toast(t("common:saved"));
      else toast(t(next.suspended ? "suspended" : "resumed", { name }));
      if (next.suspended === suspended) onClose();
    },
  });
  const suspend = async () => {
    const yes = await ask(
      suspended
        ? {
            title: t("resumeTitle", { name }),
            text: t("resumeText"),
            yes: t("resume"),
            danger: false,
          }
        : {
            title: t("suspendTitle", { name }),
            text: t("suspendText", { name }),
            yes: t("suspend"),
          },
    );
    // What is typed but not saved stays typed.
    if (yes) set.mutate({ ...now, suspended: !suspended });
  };
  const own = isOwn(health);
  const state = stateOf(health);
  return (
    <SidePanel
      opened
      title={name}
      onClose={onClose}
      {...(!own && { onSave: () => set.mutate({ ...caps, suspended }) })}
      saving={set.isPending}
      problem={set.error}
      dirty={dirty}
      aside={
        <Button
          variant="subtle"
          color={suspended ? "teal" : "red"}
          leftSection={
            suspended ? (
              <IconPlayerPlay size={16} aria-hidden />
            ) : (
              <IconPlayerPause size={16} aria-hidden />
            )
          }
          onClick={() => void suspend()}
        >
          {t(suspended ? "resume" : "suspend")}
        </Button>
      }
      size={520}
    >
      <Text size="sm" c="dimmed">
        {tenant?.name} · {tenant?.time_zone}
        {tenant?.region ? ` · ${tenant.region}` : ""} ·{" "}
        {t("since", { when: day(ms(tenant?.created_at_ms)) })}
      </Text>
      <Title order={2} fz="md">
        {t("health")}
      </Title>
      <TenantState state={state} />
      {state === "unknown" && <Text size="sm">{t("unknownHelp")}</Text>}
      {reasonsOf(health).map((reason) => (
        <Paper key={reason} className="panel" px="md" py="sm">
          <Group gap="sm" wrap="nowrap" align="flex-start">
            <IconAlertTriangle size={18} color="var(--state-ring)" aria-hidden />
            <div>
              <Text size="sm" fw={600}>
                {t(`reason.${reason}`)}
              </Text>
              <Text size="sm" c="dimmed">
                {t(`todo.${reason}`)}
              </Text>
            </div>
          </Group>
        </Paper>
      ))}
      <SimpleGrid cols={2} spacing="sm">
        <Tile label={t("agents")} value={count(health.agents_signed_in)} />
        <Tile label={t("waiting")} value={count(health.waiting)} />
        <Tile label={t("calls")} value={count(health.calls)} />
        <Tile
          label={t("today")}
          value={count(Number(health.offered_today))}
          note={
            health.offered_today !== "0" &&
            t("todayOf", {
              answered: count(Number(health.answered_today)),
              offered: count(Number(health.offered_today)),
            })
          }
        />
      </SimpleGrid>
      {own ? (
        <Text size="sm" c="dimmed">
          {t("own")}
        </Text>
      ) : (
        <Stack gap="sm">
          <Title order={2} fz="md">
            {t("limits")}
          </Title>
          <CapFields caps={caps} onChange={setCaps} users={health.users} />
        </Stack>
      )}
    </SidePanel>
  );
}
