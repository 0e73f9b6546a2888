/** Everybody on the floor: what is looked for, and what is done with whom. */
import { Group, Select, Stack, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useShortcuts } from "@/app/shortcuts";
import { AgentPanel } from "./AgentPanel";
import { AgentsList } from "./AgentsList";
import type { BoardFilter } from "./agents";
import { MovePanel } from "./MovePanel";
import { PresencePanel } from "./PresencePanel";
import { StateChips } from "./StateChips";
import { useQueues } from "./useQueues";
import classes from "./AgentsBoard.module.css";

interface Props {
  filter: BoardFilter;
  onFilter: (filter: BoardFilter) => void;
}

export type Deed = "agent" | "move" | "presence";

const NOBODY: string[] = [];

export function AgentsBoard({ filter, onFilter }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const queues = useQueues();
  const [open, setOpen] = useState<{ deed: Deed; ids: string[] } | null>(null);
  const act = useCallback((deed: Deed, ids: string[]) => setOpen({ deed, ids }), []);
  const close = useCallback(() => setOpen(null), []);
  const latest = useRef(filter);
  latest.current = filter;
  const chooseState = useCallback(
    (state: string) => onFilter({ ...latest.current, state }),
    [onFilter],
  );
  useShortcuts([
    {
      keys: "v",
      label: t("keys.attention"),
      group: t("agents.title"),
      run: () => chooseState(filter.state === "attention" ? "" : "attention"),
    },
  ]);
  const idsFor = (deed: Deed) => (open?.deed === deed ? open.ids : NOBODY);
  return (
    <section className={`panel ${classes.board}`} aria-labelledby="agents-title" id="agents">
      <Stack p="md" gap="sm" className={classes.tools}>
        <Group justify="space-between" gap="sm">
          <Title order={2} id="agents-title">
            {t("agents.title")}
          </Title>
          <Group gap="xs">
            <TextInput
              value={filter.words}
              onChange={(event) => onFilter({ ...filter, words: event.currentTarget.value })}
              placeholder={t("agents.search")}
              aria-label={t("agents.search")}
              leftSection={<IconSearch size={16} aria-hidden />}
              data-search
              w={{ base: "100%", xs: 220 }}
            />
            <Select
              aria-label={t("agents.queue")}
              placeholder={t("agents.allQueues")}
              data={(queues.data ?? []).map((queue) => ({
                value: queue.queue_id,
                label: queue.name || queue.queue_id,
              }))}
              value={filter.queue || null}
              onChange={(queue) => onFilter({ ...filter, queue: queue ?? "" })}
              clearable
              searchable
              w={{ base: "100%", xs: 200 }}
            />
          </Group>
        </Group>
        <StateChips chosen={filter.state} onChoose={chooseState} />
      </Stack>
      <AgentsList filter={filter} onAct={act} />
      <AgentPanel
        id={idsFor("agent")[0] ?? ""}
        onClose={close}
        onMove={(id) => act("move", [id])}
        onPresence={(id) => act("presence", [id])}
      />
      <MovePanel ids={idsFor("move")} onClose={close} />
      <PresencePanel ids={idsFor("presence")} onClose={close} />
    </section>
  );
}
