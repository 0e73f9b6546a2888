/** The queues by name, with what the live feed does not tell: the expected wait and closures. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { all } from "@/api/all";
import { doors, live, waiting } from "@/api/boards";
import { api, told } from "@/api/client";
import { useStore } from "@/api/store";
import { ms, type QueueView } from "@/api/types";
import { GOOD_LEVEL } from "./tones";

export const QUEUES = ["floor", "queues"] as const;
/** Expected waits change with who waits; they are asked for anew at most so often. */
const ANEW_MS = 15_000;

export function useQueues() {
  return useQuery({
    queryKey: QUEUES,
    queryFn: () =>
      all(
        (page) => told(api.GET("/v1/queues", { params: { query: page } })),
        (answer) => answer.queues,
      ),
    select: byName,
  });
}

function byName(queues: QueueView[]): QueueView[] {
  return [...queues].sort((a, b) => a.name.localeCompare(b.name));
}

/** Asks for the queues anew when the line has changed, and at once when a queue has; once on the page. */
export function useFreshQueues(): void {
  const client = useQueryClient();
  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      clearTimeout(due);
      due = undefined;
      void client.invalidateQueries({ queryKey: QUEUES });
    };
    const stops = [
      waiting.subscribe(() => {
        due ??= setTimeout(again, ANEW_MS);
      }),
      doors.subscribe(again),
    ];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(due);
    };
  }, [client]);
}

/** The service level that counts as good for the tenant as a whole, in percent. */
export function useGoodLevel(): number {
  const defaults = useQuery({
    queryKey: ["floor", "defaults"],
    queryFn: () => told(api.GET("/v1/tenant-defaults")),
  });
  return ms(defaults.data?.service_level_percent) || GOOD_LEVEL;
}

/** The name of a queue by its id; the id itself for one that nobody knows. */
export function useQueueName(): (id: string) => string {
  const { data } = useQueues();
  const rows = useStore(live)?.rows;
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const row of rows ?? []) if (row.queue_id) names.set(row.queue_id, row.name);
    for (const queue of data ?? []) names.set(queue.queue_id, queue.name);
    return (id) => names.get(id) || id;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the figures change each second, the names hardly ever
  }, [data, rows?.length]);
}
