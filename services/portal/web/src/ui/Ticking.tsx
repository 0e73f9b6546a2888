/** A length that grows, or shrinks, second by second. One timer serves all of them. */
import { useSyncExternalStore } from "react";
import { length } from "@/i18n/format";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let second = 0;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    second = Math.floor(Date.now() / 1000);
    timer = setInterval(() => {
      second = Math.floor(Date.now() / 1000);
      for (const each of [...listeners]) each();
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** The present instant in whole seconds, as ms; the component is drawn again each second. */
export function useSecond(): number {
  return useSyncExternalStore(subscribe, () => second || Math.floor(Date.now() / 1000)) * 1000;
}

/** Time since an instant. */
export function Since({ ms }: { ms: number }) {
  const now = useSecond();
  return <span className="tabular">{ms ? length(now - ms) : "–"}</span>;
}

/** Time until an instant, not below 0. */
export function Until({ ms }: { ms: number }) {
  const now = useSecond();
  return <span className="tabular">{length(Math.max(0, ms - now))}</span>;
}
