/** Looks at every queue's line while the floor is open; what was seen outlives the page's closing. */
import { useEffect } from "react";
import { waiting } from "@/api/boards";
import { store, usePart, type Store } from "@/api/store";
import { lineByQueue } from "./counts";
import { EVERY_MS, look, type Seen } from "./history";

const EMPTY: Seen = new Map();
const seen: Store<ReadonlyMap<string, Seen>> = store<ReadonlyMap<string, Seen>>(new Map());

/** Once on the page. */
export function useHistory(queueIds: readonly string[]): void {
  const names = queueIds.join("\n");
  useEffect(() => {
    const ids = names ? names.split("\n") : [];
    const every = () => {
      const rows = waiting.get()?.rows;
      if (!rows) return;
      const lines = lineByQueue(rows.values());
      const before = seen.get();
      const now = Date.now();
      seen.set(
        new Map(
          ids.map((id) => [id, look(before.get(id) ?? EMPTY, lines.get(id)?.waiting ?? 0, now)]),
        ),
      );
    };
    every();
    const timer = setInterval(every, EVERY_MS);
    return () => clearInterval(timer);
  }, [names]);
}

export function useSeen(queueId: string): Seen {
  return usePart(seen, (all) => all.get(queueId) ?? EMPTY);
}
