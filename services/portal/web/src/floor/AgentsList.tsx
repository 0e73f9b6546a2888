/** The agents in their order, and those who are selected. */
import { Button, Checkbox, Group, Text } from "@mantine/core";
import { IconArrowsExchange, IconUserCog, IconUsers } from "@tabler/icons-react";
import { memo, useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import { useShortcuts } from "@/app/shortcuts";
import { Empty, Rows } from "@/ui/notes";
import { AgentRow } from "./AgentRow";
import type { Deed } from "./AgentsBoard";
import type { BoardFilter } from "./agents";
import { useOrder } from "./useOrder";
import { useQueueName } from "./useQueues";
import { VirtualTable } from "./VirtualTable";
import classes from "./AgentsBoard.module.css";

const COLUMNS =
  "20px minmax(130px,1.3fr) minmax(150px,1.4fr) minmax(120px,1.2fr) minmax(120px,1.1fr) minmax(110px,1.5fr) minmax(90px,1.1fr)";
const HEADS = ["name", "state", "since", "contact", "queues", "why"] as const;

interface Props {
  filter: BoardFilter;
  onAct: (deed: Deed, ids: string[]) => void;
}

export const AgentsList = memo(function AgentsList({ filter, onAct }: Props) {
  const { t } = useTranslation(["floor", "common"]);
  const at = useRef<HTMLDivElement>(null);
  const ids = useOrder(filter, at);
  const queueName = useQueueName();
  const { chosen, setChosen, choose } = useChosen(ids);
  const openAgent = useCallback((id: string) => onAct("agent", [id]), [onAct]);
  const picked = [...chosen].filter((id) => agents.get()?.has(id));
  const all = ids !== null && ids.length > 0 && ids.every((id) => chosen.has(id));
  const act = (deed: Deed) => picked.length > 0 && onAct(deed, picked);
  const clear = () => setChosen(new Set());
  const group = t("agents.title");
  useShortcuts([
    { keys: "m", label: t("keys.move"), group, run: () => act("move") },
    { keys: "s", label: t("keys.presence"), group, run: () => act("presence") },
    { keys: "n", label: t("keys.none"), group, run: clear },
  ]);
  if (ids === null)
    return (
      <div style={{ padding: 16 }}>
        <Rows rows={8} height={34} />
      </div>
    );
  return (
    <>
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
          <Button size="compact-sm" variant="subtle" onClick={clear}>
            {t("common:action.clear")}
          </Button>
        </Group>
      )}
      {ids.length === 0 ? (
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
              {HEADS.map((column) => (
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
    </>
  );
});

/** Who is selected; with Shift everybody from the last one to this one. */
function useChosen(ids: readonly string[] | null) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
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
      for (const each of part) {
        if (add) after.add(each);
        else after.delete(each);
      }
      return after;
    });
  }, []);
  return { chosen, setChosen, choose };
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
