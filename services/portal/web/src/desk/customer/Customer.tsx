/** Whose contact it is, and everything that was with them before. */
import { Anchor, Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconPencil, IconUserPlus, IconUserSearch } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { Empty } from "@/ui/notes";
import { numberOf } from "../work";
import { History } from "./History";
import { useCustomer, type CustomerOf } from "./useCustomer";
import classes from "../Desk.module.css";

const CustomerForm = lazy(() => import("./CustomerForm"));

export function Customer({ work }: { work: DeskWork | undefined }) {
  const { t } = useTranslation("desk");
  const [editing, setEditing] = useState(false);
  const [customer, saved] = useCustomer(work);
  if (!work)
    return (
      <Paper className="panel">
        <Empty icon={IconUserSearch} title={t("customer.none")}>
          {t("customer.noneHelp")}
        </Empty>
      </Paper>
    );
  return (
    <Stack gap="md">
      <Paper
        className={`panel ${classes.card}`}
        component="section"
        aria-labelledby="customer-title"
      >
        <Group justify="space-between" mb="xs" wrap="nowrap">
          <Title order={2} id="customer-title" fz="md">
            {t("customer.title")}
          </Title>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={
              customer ? (
                <IconPencil size={16} aria-hidden />
              ) : (
                <IconUserPlus size={16} aria-hidden />
              )
            }
            onClick={() => setEditing(true)}
          >
            {t(customer ? "customer.edit" : "customer.create")}
          </Button>
        </Group>
        {customer ? <Known customer={customer} /> : <Unknown number={numberOf(work)} />}
      </Paper>
      <History work={work} />
      <Suspense fallback={null}>
        {editing && (
          <CustomerForm
            customer={customer}
            number={numberOf(work)}
            onClose={() => setEditing(false)}
            onSaved={saved}
          />
        )}
      </Suspense>
    </Stack>
  );
}

function Known({ customer }: { customer: CustomerOf }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  const facts = [
    { name: t("customer.numbers"), value: customer.numbers.map(written).join(", ") },
    { name: t("customer.company"), value: customer.company },
    { name: t("customer.language"), value: customer.language },
    { name: t("customer.ref"), value: customer.external_ref },
    ...Object.entries(customer.attributes).map(([name, value]) => ({ name, value })),
  ].filter((each) => each.value);
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Text fw={620} fz="lg" className={classes.name}>
          {customer.name || t("customer.unnamed")}
        </Text>
        {customer.segment && <Badge>{customer.segment}</Badge>}
      </Group>
      <dl className={classes.reasons}>
        {facts.map(({ name, value }) => (
          <div key={name} className={classes.reason}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {customer.email && (
          <div className={classes.reason}>
            <dt>{t("customer.email")}</dt>
            <dd>
              <Anchor href={`mailto:${customer.email}`} size="sm">
                {customer.email}
              </Anchor>
            </dd>
          </div>
        )}
      </dl>
      {customer.note && (
        <Text size="sm" className={classes.note}>
          {customer.note}
        </Text>
      )}
    </Stack>
  );
}

function Unknown({ number }: { number: string }) {
  const { t } = useTranslation("desk");
  const written = usePhone();
  return (
    <Stack gap={2}>
      <Text fw={620} fz="lg">
        {number ? written(number) : t("caller.withheld")}
      </Text>
      <Text size="sm" c="dimmed">
        {t("customer.unknown")}
      </Text>
    </Stack>
  );
}
