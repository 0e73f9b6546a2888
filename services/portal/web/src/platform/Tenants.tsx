/** Every tenant, and how it is doing. */
import { ActionIcon, Button, Group, SimpleGrid, Text } from "@mantine/core";
import { IconBuilding, IconPlus, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Secret, type Told } from "@/admin/common/Secret";
import { all } from "@/api/all";
import { api, told } from "@/api/client";
import { clock, count } from "@/i18n/format";
import { DataTable, type Column } from "@/ui/DataTable";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { Tile } from "@/ui/Tile";
import { rankOf, reasonsOf, stateOf, STATES, sumOf, type Health } from "./health";
import { NewTenant } from "./NewTenant";
import { TenantPanel } from "./TenantPanel";
import { TenantState } from "./TenantState";

export default function Tenants() {
  const { t } = useTranslation(["platform", "common"]);
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState("");
  const [secret, setSecret] = useState<Told | null>(null);
  const found = useQuery({
    queryKey: ["platform", "health"],
    queryFn: () =>
      all(
        (query) => told(api.GET("/v1/tenant-health", { params: { query } })),
        (answer) => answer.tenants,
      ),
    refetchOnWindowFocus: true,
  });
  const columns: Column<Health>[] = [
    {
      id: "name",
      title: t("tenant"),
      value: ({ tenant }) => `${tenant?.display_name ?? ""} ${tenant?.name ?? ""}`,
      cell: ({ tenant }) => (
        <>
          <Text span size="sm" fw={600}>
            {tenant?.display_name || tenant?.name}
          </Text>
          <Text size="xs" c="dimmed">
            {tenant?.name}
          </Text>
        </>
      ),
    },
    {
      id: "state",
      title: t("state"),
      value: rankOf,
      cell: (health) => (
        <>
          <TenantState state={stateOf(health)} />
          {stateOf(health) !== "suspended" &&
            reasonsOf(health)
              .slice(0, 2)
              .map((reason) => (
                <Text key={reason} size="xs" c="dimmed">
                  {t(`reason.${reason}`)}
                </Text>
              ))}
        </>
      ),
    },
    {
      id: "agents",
      title: t("agents"),
      value: (health) => health.agents_signed_in,
      align: "right",
      from: "md",
    },
    {
      id: "waiting",
      title: t("waiting"),
      value: (health) => health.waiting,
      align: "right",
      from: "sm",
    },
    {
      id: "calls",
      title: t("calls"),
      value: (health) => health.calls,
      cell: (health) => <Of value={health.calls} cap={health.tenant?.caps?.max_calls ?? 0} />,
      align: "right",
      from: "sm",
    },
    {
      id: "users",
      title: t("users"),
      value: (health) => health.users,
      cell: (health) => <Of value={health.users} cap={health.tenant?.caps?.max_users ?? 0} />,
      align: "right",
      from: "md",
    },
    {
      id: "today",
      title: t("today"),
      value: (health) => Number(health.offered_today),
      cell: (health) => <Today health={health} />,
      from: "lg",
    },
  ];
  const begin = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t("new")}
    </Button>
  );
  const sum = sumOf(found.data ?? []);
  const shown = found.data?.find((one) => one.tenant?.tenant_id === open);
  return (
    <Page title={t("common:nav.tenants")} lead={t("lead")} actions={begin}>
      {found.data && (
        <SimpleGrid cols={{ base: 2, md: 4 }}>
          <Tile label={t("all")} value={count(sum.tenants)} />
          <Tile
            label={t("attention")}
            value={count(sum.attention)}
            tone={sum.attention > 0 ? "warn" : "plain"}
            note={sum.attention === 0 && t("allWell")}
          />
          <Tile label={t("suspendedCount")} value={count(sum.suspended)} />
          <Tile label={t("calls")} value={count(sum.calls)} />
        </SimpleGrid>
      )}
      <DataTable
        label={t("common:nav.tenants")}
        columns={columns}
        rows={found.data}
        rowKey={(row) => row.tenant?.tenant_id ?? ""}
        problem={found.error}
        onRetry={() => void found.refetch()}
        onOpen={(row) => setOpen(row.tenant?.tenant_id ?? "")}
        sortBy={{ id: "state" }}
        filters={[
          {
            id: "state",
            label: t("state"),
            options: STATES.map((value) => ({ value, label: t(`states.${value}`) })),
            matches: (row, chosen) => stateOf(row) === chosen,
          },
        ]}
        tools={
          <Group gap={8}>
            <Text size="xs" c="dimmed" visibleFrom="sm">
              {t("asOf", { time: clock(found.dataUpdatedAt) })}
            </Text>
            <ActionIcon
              aria-label={t("refresh")}
              title={t("refresh")}
              loading={found.isFetching}
              onClick={() => void found.refetch()}
            >
              <IconRefresh size={18} />
            </ActionIcon>
          </Group>
        }
        empty={
          <Empty icon={IconBuilding} title={t("empty")} action={begin}>
            {t("emptyHelp")}
          </Empty>
        }
      />
      {making && (
        <NewTenant
          taken={found.data?.map((one) => one.tenant?.name ?? "") ?? []}
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setSecret(made);
          }}
        />
      )}
      {shown && <TenantPanel key={open} health={shown} onClose={() => setOpen("")} />}
      <Secret told={secret} onClose={() => setSecret(null)} />
    </Page>
  );
}

function Of({ value, cap }: { value: number; cap: number }) {
  const { t } = useTranslation("platform");
  return (
    <span className="tabular">
      {cap > 0 ? t("of", { value: count(value), cap: count(cap) }) : count(value)}
    </span>
  );
}

function Today({ health }: { health: Health }) {
  const { t } = useTranslation("platform");
  const [offered, answered, abandoned] = [
    health.offered_today,
    health.answered_today,
    health.abandoned_today,
  ].map(Number) as [number, number, number];
  if (offered === 0)
    return (
      <Text span size="sm" c="dimmed">
        {t("noneToday")}
      </Text>
    );
  return (
    <>
      <Text size="sm" className="tabular">
        {t("todayOf", { answered: count(answered), offered: count(offered) })}
      </Text>
      {abandoned > 0 && (
        <Text size="xs" c="dimmed" className="tabular">
          {t("abandoned", { abandoned: count(abandoned) })}
        </Text>
      )}
    </>
  );
}
