/** A flow as boxes and lines, from the top down. */
import { ActionIcon, Group, Paper, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle, IconMaximize, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { useEffect, useId, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { layOut } from "./layout";
import { iconOf, kindOf } from "./kinds";
import type { Flow } from "./model";
import { boxOf, type NodeBox } from "./ports";
import { useView } from "./useView";
import { useWords } from "./useWords";
import classes from "./Drawing.module.css";

interface Props {
  flow: Flow;
  /** Nodes with faults. */
  faulty: ReadonlySet<string>;
  selected?: string;
  onSelect?: (node: string) => void;
  /** What an imagined call has taken of it. */
  way?: { nodes: ReadonlySet<string>; edges: ReadonlySet<string>; last: string };
}

const NOBODY: ReadonlySet<string> = new Set();

export function Drawing({ flow, faulty, selected = "", onSelect, way }: Props) {
  const { t } = useTranslation("flows");
  const { wayWords, named } = useWords();
  const marks = useId();
  const boxes = useMemo(
    () => flow.nodes.map((node) => boxOf(node, wayWords, named)),
    [flow, wayWords, named],
  );
  const drawing = useMemo(() => layOut(boxes, flow.start), [boxes, flow.start]);
  const first = boxes.find((box) => box.id === flow.start);
  const middle = (drawing.boxes.get(flow.start)?.x ?? 0) + (first?.width ?? 0) / 2;
  const { frame, view, zoom, fit, reveal, onKeyDown, pointers } = useView(
    drawing.width,
    drawing.height,
    middle,
  );
  const latest = useRef({ boxes, drawing });
  useEffect(() => {
    latest.current = { boxes, drawing };
  });
  const shown = way?.last ?? selected;
  useEffect(() => {
    const now = latest.current;
    const at = now.drawing.boxes.get(shown);
    const box = now.boxes.find((each) => each.id === shown);
    if (at && box) reveal(at.x, at.y, box.width, box.height);
  }, [shown, reveal]);
  const on = way?.edges ?? NOBODY;
  return (
    <div style={{ position: "relative", height: "100%" }}>
      <div
        ref={frame}
        className={classes.frame}
        role="group"
        tabIndex={0}
        aria-label={t("drawing")}
        aria-describedby={`${marks}-keys`}
        data-way={way !== undefined && way.nodes.size > 0}
        onKeyDown={onKeyDown}
        {...pointers}
      >
        <div
          className={classes.ground}
          style={{
            width: drawing.width,
            height: drawing.height,
            transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
          }}
        >
          <svg
            className={classes.edges}
            width={drawing.width}
            height={drawing.height}
            aria-hidden
            focusable="false"
          >
            <defs>
              {[false, true].map((bold) => (
                <marker
                  key={String(bold)}
                  id={`${marks}-${bold ? "on" : "off"}`}
                  viewBox="0 0 8 8"
                  refX="7"
                  refY="4"
                  markerWidth="9"
                  markerHeight="9"
                  markerUnits="userSpaceOnUse"
                  orient="auto"
                >
                  <path d="M0 0L8 4L0 8z" className={bold ? classes.arrowOn : classes.arrow} />
                </marker>
              ))}
            </defs>
            {drawing.edges.map((edge) => {
              const bold = on.has(`${edge.from}\n${edge.to}`);
              return (
                <path
                  key={`${edge.from} ${edge.port}`}
                  d={edge.path}
                  className={classes.edge}
                  data-on={bold}
                  markerEnd={`url(#${marks}-${bold ? "on" : "off"})`}
                />
              );
            })}
          </svg>
          {boxes.map((box) => {
            const at = drawing.boxes.get(box.id);
            return (
              at && (
                <Node
                  key={box.id}
                  box={box}
                  x={at.x}
                  y={at.y}
                  start={box.id === flow.start}
                  faulty={faulty.has(box.id)}
                  selected={box.id === selected}
                  on={way?.nodes.has(box.id) ?? false}
                  last={way?.last === box.id}
                  onSelect={() => onSelect?.(box.id)}
                  onFocus={() => reveal(at.x, at.y, box.width, box.height)}
                />
              )
            );
          })}
        </div>
        <VisuallyHidden id={`${marks}-keys`}>{t("drawingKeys")}</VisuallyHidden>
      </div>
      <Paper className={`panel ${classes.tools}`}>
        <Group gap={2}>
          <ActionIcon aria-label={t("zoomOut")} title={t("zoomOut")} onClick={() => zoom(0.8)}>
            <IconZoomOut size={18} />
          </ActionIcon>
          <ActionIcon aria-label={t("zoomIn")} title={t("zoomIn")} onClick={() => zoom(1.25)}>
            <IconZoomIn size={18} />
          </ActionIcon>
          <ActionIcon aria-label={t("fit")} title={t("fit")} onClick={fit}>
            <IconMaximize size={18} />
          </ActionIcon>
        </Group>
      </Paper>
    </div>
  );
}

interface NodeProps {
  box: NodeBox;
  x: number;
  y: number;
  start: boolean;
  faulty: boolean;
  selected: boolean;
  on: boolean;
  last: boolean;
  onSelect: () => void;
  onFocus: () => void;
}

function Node({ box, x, y, start, faulty, selected, on, last, onSelect, onFocus }: NodeProps) {
  const { t } = useTranslation("flows");
  const kind = kindOf(box.node.kind);
  const Shown = iconOf(kind);
  const words = t(`kind.${kind}`);
  return (
    <button
      type="button"
      className={classes.node}
      style={{ left: x, top: y, width: box.width, height: box.height }}
      data-selected={selected}
      data-faulty={faulty}
      data-on={on}
      data-last={last}
      aria-pressed={selected}
      aria-label={t(faulty ? "nodeFaulty" : "nodeLabel", { kind: words, id: box.id })}
      onClick={onSelect}
      onFocus={(event) => event.currentTarget.matches(":focus-visible") && onFocus()}
    >
      {start && <span className={classes.begins}>↓ {t("start")}</span>}
      <span className={classes.head}>
        <span className={classes.icon}>
          <Shown size={17} stroke={1.8} aria-hidden />
        </span>
        {words}
        <span className={classes.id}>{box.id}</span>
        {faulty && (
          <span className={classes.fault}>
            <IconAlertTriangle size={16} aria-hidden />
          </span>
        )}
      </span>
      {box.excerpt && <span className={classes.excerpt}>{box.excerpt}</span>}
      {box.chips.map((chip) => (
        <span
          key={chip.to}
          className={classes.chip}
          style={{ left: chip.x, width: chip.width }}
          title={chip.whole}
        >
          {chip.label}
        </span>
      ))}
    </button>
  );
}
