/** What nobody needs to begin with: it is fetched once the page has come to rest, before it is asked for. */
import { Suspense, useEffect, useState, type ReactNode } from "react";
import { ErrorBoundary } from "./ErrorBoundary";

/** A page can be used after so long: it waits for the network before that, and seems to rest. */
const FIRST_MS = 1_500;

export function AtRest({ children }: { children: ReactNode }) {
  const [rests, setRests] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setRests(true), FIRST_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!rests) return null;
  // What can not be fetched takes nothing with it that is there.
  return (
    <ErrorBoundary instead={null}>
      <Suspense fallback={null}>{children}</Suspense>
    </ErrorBoundary>
  );
}
