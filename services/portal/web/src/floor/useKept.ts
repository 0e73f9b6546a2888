import { useRef } from "react";

/** The value while `there`, and the last such value afterwards. */
export function useKept<Value>(value: Value, there: boolean): Value {
  const kept = useRef(value);
  if (there) kept.current = value;
  return kept.current;
}
