/** What holds for every queue that says nothing itself. */
import { NumberInput, SimpleGrid, Switch, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { Inherit } from "./Inherit";
import { Percent } from "./Percent";
import { RingRules } from "./RingRules";
import { PLATFORM, type Defaults } from "./rules";
import { Seconds } from "./Seconds";
import { useWrapUpWords } from "./words";
import { WrapUpFields } from "./WrapUpFields";

interface Props {
  old: Defaults;
  onClose: () => void;
  onSaved: () => void;
}

const TIMES = ["delivery_ms", "connect_ms", "detach_grace_ms"] as const;

export function DefaultsPanel({ old, onClose, onSaved }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [draft, setDraft] = useState(old);
  const words = useWrapUpWords();
  const put = (next: Partial<Defaults>) => setDraft({ ...draft, ...next });
  const save = useMutation({
    mutationFn: () => told(api.PUT("/v1/tenant-defaults", { body: draft })),
    onSuccess: () => {
      toast(t("common:saved"));
      onSaved();
    },
  });
  const rona = draft.rona ?? PLATFORM.rona;
  const s = t("common:unit.seconds");
  return (
    <SidePanel
      opened
      title={t("defaults.title")}
      onClose={onClose}
      onSave={() => save.mutate()}
      saving={save.isPending}
      problem={save.error}
      dirty={draft !== old}
      size={620}
    >
      <Text size="sm" c="dimmed">
        {t("defaults.lead")}
      </Text>
      <Inherit
        label={t("queues.wrapUp")}
        set={draft.wrap_up !== undefined}
        inherited={words(PLATFORM.wrap_up)}
        from="platform"
        onSet={() => put({ wrap_up: { ...PLATFORM.wrap_up } })}
        onUnset={() => put({ wrap_up: undefined })}
      >
        <WrapUpFields
          value={draft.wrap_up ?? PLATFORM.wrap_up}
          onChange={(wrap_up) => put({ wrap_up })}
        />
      </Inherit>
      <Inherit
        label={t("defaults.rona")}
        help={t("defaults.ronaHelp")}
        set={draft.rona !== undefined}
        inherited={t("defaults.ronaWords", { limit: 2, minutes: 30 })}
        from="platform"
        onSet={() => put({ rona: { ...PLATFORM.rona } })}
        onUnset={() => put({ rona: undefined })}
      >
        <SimpleGrid cols={2} spacing="sm">
          <NumberInput
            label={t("defaults.limit")}
            value={Number(rona.limit ?? 2)}
            onChange={(next) => put({ rona: { ...rona, limit: String(Number(next) || 1) } })}
            min={1}
          />
          <Seconds
            label={t("defaults.window")}
            value={rona.window_ms ?? "1800000"}
            onChange={(window_ms) => put({ rona: { ...rona, window_ms } })}
          />
        </SimpleGrid>
      </Inherit>
      <Inherit
        label={t("queues.level")}
        help={t("queues.levelHelp")}
        set={draft.service_level_percent !== undefined}
        inherited={`${PLATFORM.service_level_percent} %`}
        from="platform"
        onSet={() => put({ service_level_percent: String(PLATFORM.service_level_percent) })}
        onUnset={() => put({ service_level_percent: undefined })}
      >
        <Percent
          label={t("queues.level")}
          value={draft.service_level_percent}
          onChange={(service_level_percent) => put({ service_level_percent })}
        />
      </Inherit>
      <Text size="sm" fw={560}>
        {t("ring.title")}
      </Text>
      <RingRules
        rules={draft.ring_rules}
        onChange={(ring_rules) => put({ ring_rules })}
        defaults={undefined}
      />
      <Switch
        label={t("defaults.breakResets")}
        description={t("defaults.breakResetsHelp")}
        checked={draft.break_resets_idle}
        onChange={(event) => put({ break_resets_idle: event.currentTarget.checked })}
      />
      {TIMES.map((name) => (
        <Inherit
          key={name}
          label={t(`defaults.${name}`)}
          set={draft[name] !== undefined}
          inherited={`${ms(PLATFORM[name]) / 1000} ${s}`}
          from="platform"
          onSet={() => put({ [name]: String(PLATFORM[name]) })}
          onUnset={() => put({ [name]: undefined })}
        >
          <Seconds
            bare
            label={t(`defaults.${name}`)}
            value={draft[name]}
            onChange={(next) => put({ [name]: next })}
          />
        </Inherit>
      ))}
    </SidePanel>
  );
}
