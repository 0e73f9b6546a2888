/** Customers, searched by the server; their card and their form stand at the side. */
import { Badge, Paper } from "@mantine/core";
import { IconAddressBook, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { TextFilter } from "@/recordings/Filters";
import { useAddress } from "@/reports/useAddress";
import { DataTable, type Column } from "@/ui/DataTable";
import { NewButton } from "@/ui/lists";
import { Empty } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { usePaged } from "@/ui/paged";
import type { Customer } from "./customer";
import { CustomerForm } from "./CustomerForm";
import { CustomerPanel } from "./CustomerPanel";

const PAGE = 50;

export default function Customers() {
  const { t } = useTranslation(["contacts", "common"]);
  const phone = usePhone();
  const [params, change] = useAddress();
  /** Who is in the form; null: a new one; undefined: it is closed. */
  const [edited, setEdited] = useState<Customer | null | undefined>(undefined);
  const search = params.get("search") ?? "";
  const id = params.get("id") ?? "";
  const found = usePaged({
    queryKey: ["customers", search],
    keep: true,
    read: (token) =>
      told(
        api.GET("/v1/customers", {
          params: { query: { search, "page.size": PAGE, "page.token": token } },
        }),
      ),
    rowsOf: (answer) => answer.customers,
  });
  const columns: Column<Customer>[] = [
    { id: "name", title: t("customer.name"), value: (row) => row.name || t("customer.nameless") },
    {
      id: "number",
      title: t("customer.numbers"),
      value: (row) => row.numbers.map(phone).join(", ") || "–",
    },
    { id: "company", title: t("customer.company"), value: (row) => row.company || "–", from: "md" },
    {
      id: "segment",
      title: t("customer.segment"),
      value: (row) => row.segment,
      cell: (row) => (row.segment ? <Badge>{row.segment}</Badge> : "–"),
      from: "sm",
    },
    {
      id: "ref",
      title: t("customer.externalRef"),
      value: (r) => r.external_ref || "–",
      from: "lg",
    },
    {
      id: "changed",
      title: t("customer.changed"),
      value: (row) => ms(row.changed_at_ms),
      cell: (row) => <span className="tabular">{when(ms(row.changed_at_ms))}</span>,
      from: "md",
    },
  ];
  const create = <NewButton onClick={() => setEdited(null)}>{t("customer.new")}</NewButton>;
  return (
    <Page title={t("customer.list")} lead={t("customer.lead")} actions={create}>
      <Paper className="panel" p="md" component="search">
        <TextFilter
          label={t("customer.search")}
          value={search}
          onChange={(words) => change({ search: words })}
          icon={<IconSearch size={16} aria-hidden />}
          search
          width={420}
        />
      </Paper>
      <DataTable
        label={t("customer.list")}
        columns={columns.map((column) => ({ ...column, sort: false }))}
        {...found}
        rowKey={(row) => row.customer_id}
        onOpen={(row) => change({ id: row.customer_id })}
        searchable={false}
        empty={
          search ? (
            <Empty icon={IconSearch} title={t("common:table.nothingFound")}>
              {t("customer.searchHelp")}
            </Empty>
          ) : (
            <Empty icon={IconAddressBook} title={t("customer.none")}>
              {t("customer.noneHelp")}
            </Empty>
          )
        }
      />
      {id && edited === undefined && (
        <CustomerPanel customerId={id} onClose={() => change({ id: null })} onEdit={setEdited} />
      )}
      {edited !== undefined && (
        <CustomerForm
          customer={edited}
          onClose={() => setEdited(undefined)}
          onSaved={(saved) => {
            setEdited(undefined);
            change({ id: saved.customer_id });
          }}
        />
      )}
    </Page>
  );
}
