/** A spreadsheet of levels: arrow keys, typing, ranges, copy and paste. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState, type ClipboardEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import {
  cellKey,
  copied,
  filled,
  filledDown,
  ordered,
  pasted,
  readLevel,
  type Matrix,
  type Place,
} from "./matrix";
import type { Person } from "./sheet";
import { ColumnHead } from "./ColumnHead";
import classes from "./Grid.module.css";

const ROW = 36;
const NAME = 190;
const COLUMN = 116;
/** `1` and `0` within this are ten. */
const TYPING_MS = 900;

interface Props {
  matrix: Matrix;
  saved: Matrix;
  people: Person[];
  onChange: (next: Matrix) => void;
  onUndo: () => void;
  onRedo: () => void;
  onRefused: (cells: number) => void;
}

export function Grid(props: Props) {
  const { matrix, saved, people, onChange } = props;
  const { t } = useTranslation(["admin", "common"]);
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<Place>({ row: 0, column: 0 });
  const [anchor, setAnchor] = useState<Place>({ row: 0, column: 0 });
  const typed = useRef({ text: "", atMs: 0 });
  const rows = useVirtualizer({
    count: people.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
    scrollPaddingStart: ROW,
  });
  const ids = people.map((person) => person.id);
  const range = ordered(at, anchor);
  const go = (row: number, column: number, extend: boolean) => {
    const next = {
      row: Math.max(0, Math.min(people.length - 1, row)),
      column: Math.max(0, Math.min(matrix.skills.length - 1, column)),
    };
    setAt(next);
    if (!extend) setAnchor(next);
    typed.current.text = "";
    rows.scrollToIndex(next.row);
    const left = NAME + next.column * COLUMN;
    const view = box.current;
    if (!view) return;
    if (left - NAME < view.scrollLeft) view.scrollLeft = left - NAME;
    else if (left + COLUMN > view.scrollLeft + view.clientWidth)
      view.scrollLeft = left + COLUMN - view.clientWidth;
  };
  const type = (digit: string) => {
    const now = Date.now();
    const { text, atMs } = typed.current;
    const both = now - atMs < TYPING_MS ? text + digit : digit;
    const level = readLevel(both) === undefined ? readLevel(digit) : readLevel(both);
    if (level === undefined) return;
    typed.current = { text: String(level ?? ""), atMs: now };
    onChange(filled(matrix, ids, range, level));
  };
  const keys = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const { row, column } = at;
    const control = event.ctrlKey || event.metaKey;
    const page = Math.floor((box.current?.clientHeight ?? 400) / ROW) - 2;
    const moves: Record<string, [number, number]> = {
      ArrowUp: [control ? 0 : row - 1, column],
      ArrowDown: [control ? people.length : row + 1, column],
      ArrowLeft: [row, control ? 0 : column - 1],
      ArrowRight: [row, control ? matrix.skills.length : column + 1],
      Enter: [row + (event.shiftKey ? -1 : 1), column],
      Home: [control ? 0 : row, 0],
      End: [control ? people.length : row, matrix.skills.length],
      PageUp: [row - page, column],
      PageDown: [row + page, column],
    };
    const move = moves[event.key];
    const key = event.key.toLowerCase();
    if (move) go(...move, event.shiftKey && event.key !== "Enter");
    else if (control && key === "z" && !event.shiftKey) props.onUndo();
    else if (control && (key === "y" || (key === "z" && event.shiftKey))) props.onRedo();
    else if (control && key === "d") onChange(filledDown(matrix, ids, range));
    else if (control && key === "a") {
      setAnchor({ row: 0, column: 0 });
      setAt({ row: people.length - 1, column: matrix.skills.length - 1 });
    } else if (event.key === "Delete" || event.key === "Backspace")
      onChange(filled(matrix, ids, range, null));
    else if (!control && !event.altKey && /^\d$/.test(event.key)) type(event.key);
    else return;
    event.preventDefault();
  };
  const copy = (event: ClipboardEvent) => {
    event.clipboardData.setData("text/plain", copied(matrix, ids, range));
    event.preventDefault();
    if (event.type === "cut") onChange(filled(matrix, ids, range, null));
  };
  const paste = (event: ClipboardEvent) => {
    event.preventDefault();
    const read = pasted(matrix, ids, range, event.clipboardData.getData("text/plain"));
    onChange(read.matrix);
    if (read.refused > 0) props.onRefused(read.refused);
  };
  const width = NAME + COLUMN * matrix.skills.length;
  const columns = { gridTemplateColumns: `${NAME}px repeat(${matrix.skills.length}, ${COLUMN}px)` };
  return (
    <div
      ref={box}
      className={classes.grid}
      role="grid"
      tabIndex={0}
      aria-label={t("skills.grid")}
      aria-multiselectable
      aria-rowcount={people.length + 1}
      aria-colcount={matrix.skills.length + 1}
      aria-activedescendant={`cell-${at.row}-${at.column}`}
      onKeyDown={keys}
      onCopy={copy}
      onCut={copy}
      onPaste={paste}
    >
      <div role="row" aria-rowindex={1} className={classes.head} style={{ width, ...columns }}>
        <div role="columnheader" aria-colindex={1} className={classes.name}>
          {t("common:role.agent")}
        </div>
        {matrix.skills.map((skill, column) => (
          <ColumnHead
            key={skill}
            matrix={matrix}
            skill={skill}
            column={column}
            onChange={onChange}
          />
        ))}
      </div>
      <div role="rowgroup" style={{ height: rows.getTotalSize(), width, position: "relative" }}>
        {rows.getVirtualItems().map(({ index: row, start }) => {
          const person = people[row];
          if (!person) return null;
          return (
            <div
              key={person.id}
              role="row"
              aria-rowindex={row + 2}
              className={classes.row}
              style={{ transform: `translateY(${start}px)`, width, ...columns }}
            >
              <div role="rowheader" aria-colindex={1} className={classes.name}>
                {person.name}
              </div>
              {matrix.skills.map((skill, column) => {
                const key = cellKey(person.id, skill);
                const level = matrix.cells.get(key);
                const inside =
                  row >= range.fromRow &&
                  row <= range.toRow &&
                  column >= range.fromColumn &&
                  column <= range.toColumn;
                const dirty = level !== saved.cells.get(key);
                return (
                  <div
                    key={skill}
                    id={`cell-${row}-${column}`}
                    role="gridcell"
                    aria-colindex={column + 2}
                    aria-selected={inside}
                    aria-label={t(dirty ? "skills.cellDirty" : "skills.cell", {
                      name: person.name,
                      skill,
                      level: level ?? t("common:none"),
                    })}
                    className={classes.cell}
                    data-at={(row === at.row && column === at.column) || undefined}
                    data-inside={inside || undefined}
                    data-dirty={dirty || undefined}
                    onMouseDown={(event) => go(row, column, event.shiftKey)}
                    onMouseEnter={(event) => event.buttons === 1 && go(row, column, true)}
                  >
                    {level !== undefined && (
                      <>
                        <span className={classes.bar} style={{ width: `${level * 10}%` }} />
                        <span className={classes.level}>{level}</span>
                      </>
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}
