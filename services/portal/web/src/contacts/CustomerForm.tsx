/** Makes a customer, or changes one. */
import { ActionIcon, Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import {
  bodyOf,
  draftOf,
  faultsOf,
  MAX_ATTRIBUTES,
  MAX_NUMBERS,
  type Customer,
  type Draft,
} from "./customer";
import { useE164 } from "./useE164";

interface Props {
  /** null: a new one. */
  customer: Customer | null;
  /** Of a new one. */
  number?: string;
  onClose: () => void;
  onSaved: (customer: Customer) => void;
}

export function CustomerForm({ customer, number = "", onClose, onSaved }: Props) {
  const { t } = useTranslation(["contacts", "common"]);
  const queries = useQueryClient();
  const e164 = useE164();
  const [first] = useState(() => draftOf(customer, number));
  const [draft, setDraft] = useState(first);
  const [sent, setSent] = useState(false);
  const faults = faultsOf(draft, e164);
  const wrong = (field: string) => {
    const fault = sent ? faults[field] : undefined;
    return fault ? t(`customer.wrong.${fault}`) : undefined;
  };
  const put = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const save = useMutation({
    mutationFn: () => {
      const body = bodyOf(draft, e164);
      return customer
        ? told(
            api.PUT("/v1/customers/{customer_id}", {
              params: { path: { customer_id: customer.customer_id } },
              body,
            }),
          )
        : told(api.POST("/v1/customers", { body }));
    },
    onSuccess: (saved) => {
      toast(t("common:saved"));
      void queries.invalidateQueries({ queryKey: ["customers"] });
      void queries.invalidateQueries({ queryKey: ["card"] });
      queries.setQueryData(["customer", saved.customer_id], saved);
      onSaved(saved);
    },
  });
  const send = () => {
    setSent(true);
    if (Object.keys(faults).length === 0) save.mutate();
  };
  const text = (field: "email" | "company" | "segment" | "language" | "externalRef") => (
    <TextInput
      label={t(`customer.${field}`)}
      description={
        field === "segment" || field === "language" ? t(`customer.${field}Help`) : undefined
      }
      value={draft[field]}
      onChange={(event) => put({ [field]: event.currentTarget.value })}
      error={wrong(field)}
    />
  );
  return (
    <SidePanel
      opened
      title={t(customer ? "customer.edit" : "customer.new")}
      onClose={onClose}
      onSave={send}
      saving={save.isPending}
      problem={save.error}
      dirty={JSON.stringify(draft) !== JSON.stringify(first)}
    >
      <TextInput
        label={t("customer.name")}
        value={draft.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
        error={wrong("name")}
        data-autofocus
      />
      <Numbers
        numbers={draft.numbers}
        wrong={(place) => wrong(`numbers.${place}`)}
        onChange={(numbers) => put({ numbers })}
      />
      {text("email")}
      {text("company")}
      {text("segment")}
      {text("language")}
      {text("externalRef")}
      <Textarea
        label={t("customer.note")}
        value={draft.note}
        onChange={(event) => put({ note: event.currentTarget.value })}
        autosize
        minRows={2}
        maxRows={8}
        error={wrong("note")}
      />
      <Attributes
        attributes={draft.attributes}
        wrong={(place) => wrong(`attributes.${place}`)}
        onChange={(attributes) => put({ attributes })}
      />
    </SidePanel>
  );
}

interface ListProps<Item> {
  wrong: (place: number) => string | undefined;
  onChange: (items: Item[]) => void;
}

function Numbers({ numbers, wrong, onChange }: ListProps<string> & { numbers: string[] }) {
  const { t } = useTranslation("contacts");
  return (
    <Stack gap={6}>
      {numbers.map((number, place) => (
        <Group key={place} gap={6} align="flex-end" wrap="nowrap">
          <TextInput
            type="tel"
            flex={1}
            label={place === 0 ? t("customer.numbers") : undefined}
            description={place === 0 ? t("customer.numbersHelp") : undefined}
            aria-label={t("customer.numberOf", { number: place + 1 })}
            value={number}
            onChange={(event) => onChange(numbers.with(place, event.currentTarget.value))}
            error={wrong(place)}
          />
          {numbers.length > 1 && (
            <ActionIcon
              size={36}
              aria-label={t("customer.removeNumber", { number: place + 1 })}
              onClick={() => onChange(numbers.toSpliced(place, 1))}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          )}
        </Group>
      ))}
      {numbers.length < MAX_NUMBERS && (
        <Button
          variant="subtle"
          size="compact-sm"
          w="fit-content"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...numbers, ""])}
        >
          {t("customer.addNumber")}
        </Button>
      )}
    </Stack>
  );
}

type Attribute = Draft["attributes"][number];

function Attributes(props: ListProps<Attribute> & { attributes: Attribute[] }) {
  const { t } = useTranslation("contacts");
  const { attributes, wrong, onChange } = props;
  const put = (place: number, change: Partial<Attribute>) =>
    onChange(attributes.map((each, at) => (at === place ? { ...each, ...change } : each)));
  return (
    <Stack gap={6}>
      <Text size="sm" fw={560}>
        {t("customer.attributes")}
      </Text>
      {attributes.map(({ name, value }, place) => (
        <Group key={place} gap={6} align="flex-start" wrap="nowrap">
          <TextInput
            flex={1}
            aria-label={t("customer.attributeName")}
            placeholder={t("customer.attributeName")}
            value={name}
            onChange={(event) => put(place, { name: event.currentTarget.value })}
            error={wrong(place)}
          />
          <TextInput
            flex={1}
            aria-label={t("customer.attributeValue")}
            placeholder={t("customer.attributeValue")}
            value={value}
            onChange={(event) => put(place, { value: event.currentTarget.value })}
          />
          <ActionIcon
            size={36}
            aria-label={t("customer.removeAttribute", { name: name || place + 1 })}
            onClick={() => onChange(attributes.toSpliced(place, 1))}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {attributes.length < MAX_ATTRIBUTES && (
        <Button
          variant="subtle"
          size="compact-sm"
          w="fit-content"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...attributes, { name: "", value: "" }])}
        >
          {t("customer.addAttribute")}
        </Button>
      )}
    </Stack>
  );
}
