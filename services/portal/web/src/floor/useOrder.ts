/** The order of the board: anew at most once a second, and never under somebody's hand. */
import { useEffect, useRef, useState, type RefObject } from "react";
import { agents } from "@/api/boards";
import { HELD_MS, isShown, same, type BoardFilter } from "./agents";
import { inOrder } from "./attention";

const EVERY_MS = 1_000;

function ordered(filter: BoardFilter): string[] {
  const now = Date.now();
  const all = agents.get();
  return all
    ? inOrder(
        [...all.values()].filter((agent) => isShown(agent, filter, now)),
        now,
      )
    : [];
}

/** The ids to show, in order; null: nobody was told yet. `inside` is the element being watched. */
export function useOrder(
  filter: BoardFilter,
  inside: RefObject<HTMLElement | null>,
): readonly string[] | null {
  const [ids, setIds] = useState<readonly string[] | null>(() =>
    agents.get() ? ordered(filter) : null,
  );
  const wanted = useRef(filter);
  const touched = useTouched(inside);
  useEffect(() => {
    wanted.current = filter;
    const anew = () =>
      setIds((before) => {
        if (!agents.get()) return null;
        const after = ordered(wanted.current);
        return before && same(before, after) ? before : after;
      });
    anew();
    // The first snapshot is shown at once; later changes wait for the second.
    const stop = agents.subscribe(() => setIds((before) => before ?? ordered(wanted.current)));
    const timer = setInterval(() => {
      if (Date.now() - touched.current > HELD_MS) anew();
    }, EVERY_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [filter, touched]);
  return ids;
}

/** When somebody last pointed at the element or used the keyboard in it; 0: they are gone. */
function useTouched(inside: RefObject<HTMLElement | null>): RefObject<number> {
  const touched = useRef(0);
  useEffect(() => {
    // Listened for on the document: the element may come and go.
    const within = (event: Event) =>
      event.target instanceof Node && inside.current?.contains(event.target);
    const touch = (event: Event) => {
      if (within(event)) touched.current = Date.now();
      else if (event.type === "pointermove" && !focusWithin(inside.current)) touched.current = 0;
    };
    const names = ["pointermove", "pointerdown", "keydown", "focusin", "wheel"] as const;
    for (const name of names) document.addEventListener(name, touch, { passive: true });
    return () => {
      for (const name of names) document.removeEventListener(name, touch);
    };
  }, [inside]);
  return touched;
}

function focusWithin(element: HTMLElement | null): boolean {
  return element?.contains(document.activeElement) ?? false;
}
