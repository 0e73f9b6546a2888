/** What this tab may show of the desk: one that another tab has replaced is told nothing any more. */
import { desk } from "@/api/boards";
import { link } from "@/api/feed";
import { useStore } from "@/api/store";
import type { AgentView, DeskWork } from "@/api/types";

const NONE: DeskWork[] = [];

export interface Shown {
  works: DeskWork[];
  /** Undefined: not told yet. */
  agent: AgentView | undefined;
  /** True: calls have moved to another tab, and what was known here is out of date. */
  replaced: boolean;
}

export function useWorks(): Shown {
  const view = useStore(desk);
  const replaced = useStore(link) === "replaced";
  return { works: replaced ? NONE : (view?.work ?? NONE), agent: view?.agent, replaced };
}
