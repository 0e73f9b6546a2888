/** A customer's data: looked at anew before it is changed, because others may have changed it. */
import { Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import type { CustomerOf } from "./useCustomer";
import { useNumbers } from "./useNumbers";

interface Props {
  /** Undefined: a new one. */
  customer: CustomerOf | undefined;
  number: string;
  onClose: () => void;
  onSaved: (customer: CustomerOf) => void;
}

const FIELDS = ["name", "company", "email", "segment", "language", "external_ref"] as const;
const LONGEST: Record<(typeof FIELDS)[number], number> = {
  name: 200,
  company: 200,
  email: 200,
  segment: 64,
  language: 35,
  external_ref: 200,
};

export default function CustomerForm({ customer, number, onClose, onSaved }: Props) {
  const { t } = useTranslation(["desk", "common"]);
  const readNumbers = useNumbers();
  const [changes, setChanges] = useState<Partial<Record<(typeof FIELDS)[number], string>>>({});
  const [note, setNote] = useState<string | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  const id = customer?.customer_id ?? "";
  const { data: fresh } = useQuery({
    queryKey: ["customer", id],
    enabled: id !== "",
    queryFn: () =>
      told(api.GET("/v1/customers/{customer_id}", { params: { path: { customer_id: id } } })),
    ...(customer && { placeholderData: customer }),
    staleTime: 0,
  });
  const now = fresh ?? customer;
  const numbers = typed ?? (now ? now.numbers : [number].filter(Boolean)).join("\n");
  const save = useMutation({
    mutationFn: (listed: string[]) => {
      const body = { ...now, ...changes, numbers: listed, ...(note !== null && { note }) };
      return id
        ? told(
            api.PUT("/v1/customers/{customer_id}", {
              params: { path: { customer_id: id } },
              body,
            }),
          )
        : told(api.POST("/v1/customers", { body }));
    },
    onSuccess: (saved) => {
      toast(t("common:saved"));
      onSaved(saved);
      onClose();
    },
  });
  const send = async () => {
    const { listed, bad } = await readNumbers(numbers);
    setWrong(bad);
    if (!bad) save.mutate(listed);
  };
  return (
    <SidePanel
      opened
      onClose={onClose}
      title={t(customer ? "desk:customer.edit" : "desk:customer.create")}
      onSave={() => void send()}
      saving={save.isPending}
      problem={save.error}
      dirty={Object.keys(changes).length > 0 || note !== null || typed !== null}
    >
      {FIELDS.map((field) => (
        <TextInput
          key={field}
          label={t(`desk:customer.${field === "external_ref" ? "ref" : field}`)}
          value={changes[field] ?? now?.[field] ?? ""}
          maxLength={LONGEST[field]}
          onChange={(event) => setChanges({ ...changes, [field]: event.currentTarget.value })}
          {...(field === "name" && { "data-autofocus": true })}
          {...(field === "email" && { type: "email" })}
        />
      ))}
      <Textarea
        label={t("desk:customer.numbers")}
        description={t("desk:customer.numbersHelp")}
        value={numbers}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={wrong && t("desk:customer.badNumber", { number: wrong })}
        autosize
        minRows={2}
      />
      <Textarea
        label={t("desk:customer.note")}
        value={note ?? now?.note ?? ""}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={4_000}
        autosize
        minRows={3}
      />
    </SidePanel>
  );
}
