/** Everybody on the floor, those who need attention first. */
import { Button, Checkbox, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconArrowsExchange, IconSearch, IconUserCog, IconUsers } from "@tabler/icons-react";
import { useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { useShortcuts } from "@/app/shortcuts";
import { Empty, Rows } from "@/ui/notes";
import { AgentPanel } from "./AgentPanel";
import { AgentRow } from "./AgentRow";
import type { BoardFilter } from "./agents";
import { MovePanel } from "./MovePanel";
import { PresencePanel } from "./PresencePanel";
import { StateChips } from "./StateChips";
import { useOrder } from "./useOrder";
import { useQueueName, useQueues } from "./useQueues";
import { VirtualTable } from "./VirtualTable";
import classes from "./AgentsBoard.module.css";

const COLUMNS =
  "20px minmax(130px,1.3fr) minmax(150px,1.4fr) minmax(120px,1.2fr) minmax(120px,1.1fr) minmax(110px,1.5fr) minmax(90px,1.1fr)";

interface Props {
  filter: BoardFilter;
  onFilter: (filter: BoardFilter) => void;
}

type Open = { kind: "agent"; id: string } | { kind: "move" | "presence"; ids: string[] } | null;

export function AgentsBoard({ filter, onFilter }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const at = useRef<HTMLDivElement>(null);
  const ids = useOrder(filter, at);
  const queues = useQueues();
  const queueName = useQueueName();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<Open>(null);
  const shown = useRef(ids);
  shown.current = ids;
  const last = useRef("");

  const choose = useCallback((id: string, range: boolean) => {
    const list = shown.current ?? [];
    const [a, b] = [list.indexOf(last.current), list.indexOf(id)];
    const part = range && a >= 0 && b >= 0 ? list.slice(Math.min(a, b), Math.max(a, b) + 1) : [id];
    last.current = id;
    setChosen((before) => {
      const after = new Set(before);
      const add = !before.has(id);
      for (const each of part)
        if (add) after.add(each);
        else after.delete(each);
      return after;
    });
  }, []);
  const openAgent = useCallback((id: string) => setOpen({ kind: "agent", id }), []);
  const close = useCallback(() => setOpen(null), []);

  const picked = [...chosen].filter((id) => agents.get()?.has(id));
  const all = ids !== null && ids.length > 0 && ids.every((id) => chosen.has(id));
  const act = (kind: "move" | "presence", of = picked) =>
    of.length > 0 && setOpen({ kind, ids: of });
  const group = t("agents.title");
  useShortcuts([
    { keys: "m", label: t("keys.move"), group, run: () => act("move") },
    { keys: "s", label: t("keys.presence"), group, run: () => act("presence") },
    { keys: "n", label: t("keys.none"), group, run: () => setChosen(new Set()) },
    {
      keys: "v",
      label: t("keys.attention"),
      group,
      run: () => onFilter({ ...filter, state: filter.state === "attention" ? "" : "attention" }),
    },
  ]);

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
        <StateChips chosen={filter.state} onChoose={(state) => onFilter({ ...filter, state })} />
      </Stack>
      {picked.length > 0 && (
        <Group className={classes.bulk} px="md" py={8} gap="sm">
          <Text size="sm" fw={600} role="status">
            {t("common:table.selected", { count: picked.length })}
          </Text>
          <Button
            size="compact-sm"
            leftSection={<IconArrowsExchange size={16} aria-hidden />}
            onClick={() => act("move")}
          >
            {t("move.open")}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconUserCog size={16} aria-hidden />}
            onClick={() => act("presence")}
          >
            {t("presence.open")}
          </Button>
          <Button size="compact-sm" variant="subtle" onClick={() => setChosen(new Set())}>
            {t("common:action.clear")}
          </Button>
        </Group>
      )}
      {ids === null ? (
        <div style={{ padding: 16 }}>
          <Rows rows={8} height={34} />
        </div>
      ) : ids.length === 0 ? (
        <Nobody filtered={(agents.get()?.size ?? 0) > 0} />
      ) : (
        <VirtualTable
          at={at}
          label={t("agents.title")}
          columns={COLUMNS}
          ids={ids}
          rowHeight={46}
          narrowHeight={64}
          maxHeight="clamp(276px, 62vh, 828px)"
          head={
            <>
              <span role="columnheader">
                <Checkbox
                  size="xs"
                  aria-label={t("common:table.selectAll")}
                  checked={all}
                  indeterminate={!all && picked.length > 0}
                  onChange={() => setChosen(new Set(all ? [] : ids))}
                />
              </span>
              {(["name", "state", "since", "contact", "queues", "why"] as const).map((column) => (
                <span key={column} role="columnheader">
                  {t(`agents.${column}`)}
                </span>
              ))}
            </>
          }
          row={(id) => (
            <AgentRow
              id={id}
              chosen={chosen.has(id)}
              onChoose={choose}
              onOpen={openAgent}
              queueName={queueName}
            />
          )}
        />
      )}
      <AgentPanel
        id={open?.kind === "agent" ? open.id : ""}
        onClose={close}
        onMove={(id) => act("move", [id])}
        onPresence={(id) => act("presence", [id])}
      />
      <MovePanel ids={open?.kind === "move" ? open.ids : []} onClose={close} />
      <PresencePanel ids={open?.kind === "presence" ? open.ids : []} onClose={close} />
    </section>
  );
}

function Nobody({ filtered }: { filtered: boolean }) {
  const { t } = useTranslation(["floor", "common"]);
  return filtered ? (
    <Empty title={t("common:table.nothingFound")}>{t("common:table.nothingFoundHelp")}</Empty>
  ) : (
    <Empty icon={IconUsers} title={t("agents.none")}>
      {t("agents.noneHelp")}
    </Empty>
  );
}
