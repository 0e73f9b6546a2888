/** A table of which only the rows in sight are drawn; arrow keys go from row to row. */
import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import classes from "./VirtualTable.module.css";

/** Below this width a row's cells stand in two lines. */
const NARROW = "(max-width: 62em)";

interface Props {
  label: string;
  /** The widths of the columns, as CSS; on narrow screens rows lay themselves out. */
  columns: string;
  /** The heads of the columns, each a cell. */
  head: ReactNode;
  ids: readonly string[];
  /** The inside of a row, made of cells. */
  row: (id: string) => ReactNode;
  rowHeight: number;
  narrowHeight: number;
  /** The table is at most so high, as CSS. */
  maxHeight: string;
  /** The element around everything, for those who watch it. */
  at?: RefObject<HTMLDivElement | null>;
}

export function VirtualTable(props: Props) {
  const { ids } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery(NARROW) ?? false;
  const height = narrow ? props.narrowHeight : props.rowHeight;
  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (place) => ids[place] ?? place,
    overscan: 6,
  });
  const sized = useRef(height);
  if (sized.current !== height) {
    sized.current = height;
    rows.measure();
  }
  return (
    <div ref={props.at} className={classes.table} role="table" aria-label={props.label}>
      <div role="rowgroup" className={classes.headGroup}>
        <div
          role="row"
          className={classes.head}
          {...(!narrow && { style: { gridTemplateColumns: props.columns } })}
        >
          {props.head}
        </div>
      </div>
      <div
        ref={scroller}
        role="rowgroup"
        className={classes.scroller}
        style={{ maxHeight: props.maxHeight }}
        onKeyDown={(event) => step(event, ids.length, rows.scrollToIndex)}
      >
        <div role="presentation" style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((item) => (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              data-place={item.index}
              className={classes.row}
              style={{
                height,
                transform: `translateY(${item.start}px)`,
                ...(!narrow && { gridTemplateColumns: props.columns }),
              }}
            >
              {props.row(ids[item.index] ?? "")}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Up, Down, Home and End move the focus to the same control of another row. */
function step(
  event: KeyboardEvent<HTMLElement>,
  count: number,
  scrollTo: (place: number) => void,
): void {
  const from = (event.target as HTMLElement).closest<HTMLElement>("[data-place]");
  const mark = (event.target as HTMLElement).dataset.stop;
  if (!from || !mark) return;
  const place = Number(from.dataset.place);
  const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: count - 1 }[event.key];
  if (next === undefined || next < 0 || next >= count) return;
  event.preventDefault();
  const table = event.currentTarget;
  const find = () =>
    table.querySelector<HTMLElement>(`[data-place="${next}"] [data-stop="${mark}"]`);
  scrollTo(next);
  const found = find();
  if (found) found.focus({ preventScroll: true });
  // A row far away is drawn after the scrolling.
  else requestAnimationFrame(() => requestAnimationFrame(() => find()?.focus()));
}
