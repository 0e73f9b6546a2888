/** Sets the state of the chosen agents. */
import { List, Radio, Select, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { ask } from "@/ui/Ask";
import { BREAKS, reasonWords } from "@/ui/reason";
import { SidePanel } from "@/ui/SidePanel";
import { toast, toastProblem, toastUndo } from "@/ui/toast";
import { inWords } from "@/ui/words";
import {
  asTheyAre,
  PRESENCES,
  setPresence,
  type Outcome,
  type Presence,
  type Wish,
} from "./presence";
import { useKept } from "./useKept";

interface Props {
  /** Empty: closed. */
  ids: string[];
  onClose: () => void;
}

export function PresencePanel({ ids: chosen, onClose }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const [presence, setWanted] = useState<Presence>("ready");
  const [reason, setReason] = useState<string>(BREAKS[0]);
  const opened = chosen.length > 0;
  // What is being closed keeps its words until it is gone.
  const ids = useKept(chosen, opened);
  const takeBack = (before: Wish[]) =>
    setPresence(before).then(({ done, later, failed }) => {
      if (failed[0]) toastProblem(failed[0].problem);
      else toast(t("presence.undone", { count: done.length + later.length }));
    });
  const { mutate, reset, data, isPending, error } = useMutation({
    mutationFn: async () => {
      const before = asTheyAre(ids.flatMap((id) => agents.get()?.get(id) ?? []));
      const outcome = await setPresence(ids.map((id) => ({ id, presence, reason })));
      const failed = new Set(outcome.failed.map((each) => each.id));
      return { ...outcome, before: before.filter((each) => !failed.has(each.id)) };
    },
    onSuccess: ({ before, ...outcome }) => {
      if (before.length > 0) toastUndo(summary(outcome), () => void takeBack(before));
      if (outcome.failed.length === 0) onClose();
    },
  });
  useEffect(() => {
    if (!opened) return;
    reset();
    setWanted("ready");
  }, [opened, reset]);

  const summary = ({ done, later }: Outcome) =>
    [
      done.length > 0 &&
        t("presence.done", { count: done.length, state: t(`common:state.${presence}`) }),
      later.length > 0 &&
        t("presence.later", { count: later.length, state: t(`common:state.${presence}`) }),
    ]
      .filter(Boolean)
      .join(" ");
  const save = async () => {
    const count = ids.length;
    if (presence === "signed_out") {
      const text = t("presence.signOutAsk", { count });
      if (!(await ask({ text, yes: t("presence.signOut") }))) return;
    }
    mutate();
  };
  const name = (id: string) => agents.get()?.get(id)?.name ?? id;
  return (
    <SidePanel
      opened={opened}
      onClose={onClose}
      title={t("presence.title", { count: ids.length })}
      onSave={() => void save()}
      saving={isPending}
      problem={error}
      saveLabel={t("presence.save")}
    >
      <Text size="sm" c="dimmed">
        {ids.length === 1 ? name(ids[0] ?? "") : t("presence.lead")}
      </Text>
      <Radio.Group
        label={t("presence.state")}
        value={presence}
        onChange={(value) => setWanted(value as Presence)}
      >
        <Stack gap="xs" mt={4}>
          {PRESENCES.map((each) => (
            <Radio
              key={each}
              value={each}
              label={t(`common:state.${each}`)}
              description={t(`presence.means.${each}`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {presence === "break" && (
        <Select
          label={t("presence.reason")}
          data={BREAKS.map((each) => ({ value: each, label: reasonWords(each) }))}
          value={reason}
          onChange={(value) => value && setReason(value)}
          allowDeselect={false}
        />
      )}
      {data && data.failed.length > 0 && (
        <Stack gap={4} role="alert">
          <Text size="sm">{summary(data)}</Text>
          <Text size="sm" fw={600} c="var(--state-lost)">
            {t("presence.failed", { count: data.failed.length })}
          </Text>
          <List size="sm">
            {data.failed.slice(0, 10).map(({ id, problem }) => (
              <List.Item key={id}>
                {name(id)}: {inWords(problem)}
              </List.Item>
            ))}
          </List>
        </Stack>
      )}
    </SidePanel>
  );
}
