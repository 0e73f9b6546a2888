/** One disposition. */
import { Button, MultiSelect, Switch, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Option } from "@/contacts/people";
import { SidePanel } from "@/ui/SidePanel";
import { IdField } from "./common/IdField";
import { isSlug, slug } from "./common/slug";
import { putDisposition, type Disposition } from "./Dispositions";

interface Props {
  /** null: a new one. */
  old: Disposition | null;
  all: Disposition[];
  queues: Option[];
  onClose: () => void;
  onSaved: () => void;
  onRemove: (one: Disposition) => void;
}

export function DispositionPanel({ old, all, queues, onClose, onSaved, onRemove }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [first] = useState<Disposition>(
    old ?? {
      code: "",
      label: "",
      queue_ids: [],
      position: Math.max(0, ...all.map((one) => one.position)) + 1,
      active: true,
    },
  );
  const [draft, setDraft] = useState(first);
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const code = old?.code ?? (typed || slug(draft.label));
  const save = useMutation({
    mutationFn: () => putDisposition({ ...draft, code }),
    onSuccess: onSaved,
  });
  const codeFault = !isSlug(code)
    ? t("id.bad")
    : !old && all.some((one) => one.code === code) && t("id.taken");
  const missing = !draft.label.trim();
  return (
    <SidePanel
      opened
      title={t(old ? "dispositions.edit" : "dispositions.new")}
      onClose={onClose}
      onSave={() => {
        setTried(true);
        if (!missing && !codeFault) save.mutate();
      }}
      saving={save.isPending}
      problem={save.error}
      dirty={draft !== first}
      aside={
        old && (
          <Button variant="subtle" color="red" onClick={() => onRemove(old)}>
            {t("common:action.remove")}
          </Button>
        )
      }
    >
      <TextInput
        label={t("dispositions.label")}
        description={t("dispositions.labelHelp")}
        value={draft.label}
        onChange={(event) => setDraft({ ...draft, label: event.currentTarget.value })}
        maxLength={100}
        error={tried && missing && t("common:signIn.missing")}
        required
        data-autofocus
      />
      <IdField id={code} onChange={setTyped} fresh={!old} error={tried && !missing && codeFault} />
      <MultiSelect
        label={t("dispositions.queues")}
        description={t("dispositions.queuesHelp")}
        placeholder={draft.queue_ids.length === 0 ? t("dispositions.allQueues") : ""}
        data={queues}
        value={draft.queue_ids}
        onChange={(queue_ids) => setDraft({ ...draft, queue_ids })}
        searchable
        clearable
      />
      <Switch
        label={t("dispositions.active")}
        description={t("dispositions.activeHelp")}
        checked={draft.active}
        onChange={(event) => setDraft({ ...draft, active: event.currentTarget.checked })}
      />
    </SidePanel>
  );
}
