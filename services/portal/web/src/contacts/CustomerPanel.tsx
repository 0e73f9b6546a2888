/** A customer's card with everything they ever called about. */
import { Avatar, Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { session } from "@/api/session";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { Facts } from "@/recordings/Facts";
import { ask } from "@/ui/Ask";
import { ErrorNote, Rows } from "@/ui/notes";
import { SidePanel } from "@/ui/SidePanel";
import { toast, toastProblem } from "@/ui/toast";
import type { Customer } from "./customer";
import { History } from "./History";

interface Props {
  customerId: string;
  onClose: () => void;
  onEdit: (customer: Customer) => void;
}

export function CustomerPanel({ customerId, onClose, onEdit }: Props) {
  const { t } = useTranslation(["contacts", "common"]);
  const queries = useQueryClient();
  const administrator = session.me()?.roles.includes("administrator") ?? false;
  const path = { customer_id: customerId };
  const customer = useQuery({
    queryKey: ["customer", customerId],
    queryFn: () => told(api.GET("/v1/customers/{customer_id}", { params: { path } })),
  });
  const remove = useMutation({
    mutationFn: () => told(api.DELETE("/v1/customers/{customer_id}", { params: { path } })),
    onSuccess: () => {
      toast(t("customer.removed"));
      void queries.invalidateQueries({ queryKey: ["customers"] });
      void queries.invalidateQueries({ queryKey: ["card"] });
      queries.removeQueries({ queryKey: ["customer", customerId] });
      onClose();
    },
    onError: toastProblem,
  });
  const sure = async (name: string) => {
    const yes = await ask({
      title: t("customer.removeTitle", { name }),
      text: t("customer.removeText"),
      yes: t("common:action.remove"),
    });
    if (yes) remove.mutate();
  };
  const shown = customer.data;
  return (
    <SidePanel opened title={t("customer.title")} onClose={onClose} size={560}>
      {customer.error && !shown && (
        <ErrorNote problem={customer.error} onRetry={() => void customer.refetch()} />
      )}
      {!shown && !customer.error && <Rows rows={5} height={32} />}
      {shown && (
        <Stack gap="xl">
          <Card customer={shown} />
          <Group gap="xs">
            <Button
              variant="default"
              leftSection={<IconPencil size={16} aria-hidden />}
              onClick={() => onEdit(shown)}
            >
              {t("common:action.edit")}
            </Button>
            {administrator && (
              <Button
                variant="subtle"
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                loading={remove.isPending}
                onClick={() => void sure(shown.name || shown.customer_id)}
              >
                {t("common:action.remove")}
              </Button>
            )}
          </Group>
          <History customerId={customerId} />
        </Stack>
      )}
    </SidePanel>
  );
}

function Card({ customer }: { customer: Customer }) {
  const { t } = useTranslation("contacts");
  const phone = usePhone();
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap">
        <Avatar name={customer.name} color="bell" size={48} radius="xl" alt="" />
        <Stack gap={2} miw={0}>
          <Group gap="xs">
            <Title order={2}>{customer.name || t("customer.nameless")}</Title>
            {customer.segment && <Badge>{customer.segment}</Badge>}
          </Group>
          {customer.company && (
            <Text size="sm" c="dimmed">
              {customer.company}
            </Text>
          )}
        </Stack>
      </Group>
      <Facts
        facts={[
          {
            name: t("customer.numbers"),
            value: customer.numbers.map((number) => <div key={number}>{phone(number)}</div>),
          },
          { name: t("customer.email"), value: customer.email },
          { name: t("customer.language"), value: customer.language },
          { name: t("customer.externalRef"), value: customer.external_ref },
          { name: t("customer.changed"), value: when(ms(customer.changed_at_ms)) },
          ...Object.entries(customer.attributes).map(([name, value]) => ({ name, value })),
        ]}
      />
      {customer.note && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {customer.note}
        </Text>
      )}
    </Stack>
  );
}
