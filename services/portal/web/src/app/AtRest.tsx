/** What nobody needs to begin with: it is fetched once the page has come to rest, before it is asked for. */
import { Suspense, useEffect, useState, type ReactNode } from "react";
import { ErrorBoundary } from "./ErrorBoundary";

/** Even a page that never rests gets the remainder after so long. */
const LONGEST_MS = 2_000;

/** Calls back once nothing else is to be done; the answer takes that back. */
function atRest(then: () => void): () => void {
  // Safari knows no idle time.
  if (typeof requestIdleCallback !== "function") {
    const timer = setTimeout(then, LONGEST_MS);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(then, { timeout: LONGEST_MS });
  return () => cancelIdleCallback(handle);
}

export function AtRest({ children }: { children: ReactNode }) {
  const [rests, setRests] = useState(false);
  useEffect(() => atRest(() => setRests(true)), []);
  if (!rests) return null;
  // What can not be fetched takes nothing with it that is there.
  return (
    <ErrorBoundary instead={null}>
      <Suspense fallback={null}>{children}</Suspense>
    </ErrorBoundary>
  );
}
