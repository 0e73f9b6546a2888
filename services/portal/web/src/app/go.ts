/** Going from page to page. */
import { useLocation } from "wouter";

export { Link, useParams, useSearchParams } from "wouter";

/** The address's path, without what follows `?`. */
export function usePath(): string {
  return useLocation()[0];
}

/** Goes to an address within the portal. */
export function useGo(): (to: string, how?: { replace?: boolean }) => void {
  return useLocation()[1];
}
