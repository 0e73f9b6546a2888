/** The same done to many, a few at a time, and what came of it. */
import i18next from "i18next";
import { ask } from "@/ui/Ask";
import { toast, toastProblemOf, toastProgress } from "@/ui/toast";

const AT_ONCE = 4;
/** What takes longer is seen to go on, and can be stopped. */
const SOON_MS = 800;

export interface Outcome {
  done: number;
  /** Nobody wanted these any more. */
  left: number;
  problems: unknown[];
}

/** Does `act` to every item; one that fails keeps no other from being done. */
export async function each<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, left: 0, problems: [] };
  let next = 0;
  let stopped = false;
  const worker = async () => {
    while (next < items.length && !stopped) {
      const item = items[next] as Item;
      next += 1;
      try {
        await act(item);
        outcome.done += 1;
      } catch (fault) {
        outcome.problems.push(fault);
      }
    }
  };
  const seen = toastProgress(
    () => ({ through: outcome.done + outcome.problems.length, all: items.length }),
    () => {
      stopped = true;
    },
    SOON_MS,
  );
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  } finally {
    seen.end();
  }
  outcome.left = items.length - next;
  return outcome;
}

/** Says what came of it. */
export function tell({ done, left, problems }: Outcome): void {
  const t = i18next.t;
  if (done > 0 || left > 0)
    toast(
      [t("admin:bulk.done", { count: done }), left && t("admin:bulk.left", { count: left })]
        .filter(Boolean)
        .join(", "),
    );
  if (problems.length > 0)
    toastProblemOf(problems[0], t("admin:bulk.failed", { count: problems.length }));
}

/** Asks `text`; at yes each is removed, what came of it is said, and `after` is called. */
export async function removeAll<Item>(
  items: readonly Item[],
  text: string,
  remove: (item: Item) => Promise<unknown>,
  after: () => void,
): Promise<void> {
  if (!(await ask({ text, yes: i18next.t("common:action.remove") }))) return;
  tell(await each(items, remove));
  after();
}
