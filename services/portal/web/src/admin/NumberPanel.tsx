/** One number and where it leads. */
import { Button, Select, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Option } from "@/contacts/people";
import { phoneLibrary, usePhone } from "@/i18n/phone";
import { SidePanel } from "@/ui/SidePanel";
import { useTenant } from "./common/data";
import { regionName } from "./common/names";
import type { DialledNumber } from "./Numbers";
import { readNumber } from "./numbers";

interface Props {
  /** null: a new one. */
  old: DialledNumber | null;
  all: DialledNumber[];
  /** Flows that a number can lead to. */
  flows: Option[];
  onClose: () => void;
  onSaved: () => void;
  onRemove: (one: DialledNumber) => void;
}

export function NumberPanel({ old, all, flows, onClose, onSaved, onRemove }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const phone = usePhone();
  const tenant = useTenant();
  const region = tenant.data?.region ?? "US";
  const [text, setText] = useState("");
  const [trunk, setTrunk] = useState(old?.trunk ?? "");
  const [flow, setFlow] = useState(
    old?.flow_id ?? (flows.length === 1 ? (flows[0]?.value ?? "") : ""),
  );
  const [fault, setFault] = useState<"bad" | "taken" | null>(null);
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: (number: string) =>
      told(
        api.PUT("/v1/numbers/{number}", {
          params: { path: { number } },
          body: { trunk: trunk.trim(), flow_id: flow },
        }),
      ),
    onSuccess: onSaved,
  });
  const send = async () => {
    setTried(true);
    const number = old?.number ?? readNumber(await phoneLibrary(), text, region);
    const on = trunk.trim() || "local";
    if (!number) return setFault("bad");
    if (!old && all.some((one) => one.number === number && (one.trunk || "local") === on))
      return setFault("taken");
    setFault(null);
    if (flow) save.mutate(number);
  };
  return (
    <SidePanel
      opened
      title={old ? phone(old.number) : t("numbers.new")}
      onClose={onClose}
      onSave={() => void send()}
      saving={save.isPending}
      problem={save.error}
      dirty={text !== "" || trunk !== (old?.trunk ?? "") || (old !== null && flow !== old.flow_id)}
      aside={
        old && (
          <Button variant="subtle" color="red" onClick={() => onRemove(old)}>
            {t("common:action.remove")}
          </Button>
        )
      }
    >
      {!old && (
        <TextInput
          label={t("numbers.number")}
          description={t("numbers.numberHelp", { country: regionName(region) })}
          inputMode="tel"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setFault(null);
          }}
          error={fault && t(`numbers.fault.${fault}`)}
          required
          data-autofocus
        />
      )}
      <Select
        label={t("numbers.flow")}
        description={t("numbers.flowHelp")}
        data={flows}
        allowDeselect={false}
        value={flow || null}
        onChange={(value) => setFlow(value ?? "")}
        error={tried && !flow && t("numbers.fault.flow")}
        nothingFoundMessage={t("numbers.noFlow")}
        searchable
        required
      />
      {!old && (
        <TextInput
          label={t("numbers.trunk")}
          description={t("numbers.trunkHelp")}
          value={trunk}
          onChange={(event) => setTrunk(event.currentTarget.value)}
        />
      )}
    </SidePanel>
  );
}
