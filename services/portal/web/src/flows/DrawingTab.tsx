/** The drawing, and beside it the node that was chosen. */
import { Paper, Text } from "@mantine/core";
import { IconRouteOff } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "@/ui/notes";
import type { Fault } from "./data";
import { Drawing } from "./Drawing";
import { Faults } from "./Faults";
import type { Flow } from "./model";
import { NodePanel } from "./NodePanel";
import classes from "./Tabs.module.css";

interface Props {
  /** null: the text can not be read. */
  flow: Flow | null;
  faults: Fault[];
  selected: string;
  onSelect: (node: string) => void;
  onJson: (node: string) => void;
}

export function DrawingTab({ flow, faults, selected, onSelect, onJson }: Props) {
  const { t } = useTranslation("flows");
  const faulty = useMemo(() => new Set(faults.map((fault) => fault.node)), [faults]);
  const ids = useMemo(() => new Set(flow?.nodes.map((node) => node.id)), [flow]);
  if (!flow || flow.nodes.length === 0)
    return (
      <Paper className="panel">
        <Empty icon={IconRouteOff} title={t(flow ? "noNodes" : "noDrawing")}>
          {t(flow ? "noNodesHelp" : "noDrawingHelp")}
        </Empty>
      </Paper>
    );
  const node = flow.nodes.find((one) => one.id === selected);
  const whole = faults.filter((fault) => !fault.node || !ids.has(fault.node));
  return (
    <div className={classes.split}>
      <Paper className={`panel ${classes.tall}`}>
        <Drawing flow={flow} faulty={faulty} selected={selected} onSelect={onSelect} />
      </Paper>
      <Paper className={`panel ${classes.side}`} component="aside">
        {node ? (
          <NodePanel
            node={node}
            faults={faults.filter((fault) => fault.node === node.id)}
            nodes={ids}
            onSelect={onSelect}
            onJson={() => onJson(node.id)}
            onClose={() => onSelect("")}
          />
        ) : (
          <>
            <Text size="sm" c="dimmed" p="md">
              {t("pick")}
            </Text>
            {whole.length > 0 && <Faults faults={whole} onOpen={() => onJson("")} />}
          </>
        )}
      </Paper>
    </div>
  );
}
