/** A value that changes, for React and for anybody else. */
import { useSyncExternalStore } from "react";

export interface Store<Value> {
  get(): Value;
  set(next: Value): void;
  subscribe(listener: () => void): () => void;
}

/** A store that begins with `first`. */
export function store<Value>(first: Value): Store<Value> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value, followed by a component. */
export function useStore<Value>(from: Store<Value>): Value {
  return useSyncExternalStore(from.subscribe, from.get);
}

/** A part of the store's value; the component is drawn again only when that part changes. */
export function usePart<Value, Part>(from: Store<Value>, part: (value: Value) => Part): Part {
  return useSyncExternalStore(from.subscribe, () => part(from.get()));
}
