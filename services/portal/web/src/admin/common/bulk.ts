/** The same done to many, a few at a time, and what came of it. */
import i18next from "i18next";
import { ask } from "@/ui/Ask";
import { toast, toastProblem } from "@/ui/toast";

const AT_ONCE = 4;

export interface Outcome {
  done: number;
  problems: unknown[];
}

/** Does `act` to every item; one that fails keeps no other from being done. */
export async function each<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, problems: [] };
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
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
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return outcome;
}

/** Says what came of it. */
export function tell(outcome: Outcome): void {
  if (outcome.done > 0) toast(i18next.t("admin:bulk.done", { count: outcome.done }));
  if (outcome.problems.length > 0) toastProblem(outcome.problems[0]);
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
