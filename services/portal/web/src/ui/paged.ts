/** Lists that the server pages, a page after another. */
import { keepPreviousData, useInfiniteQuery, type QueryKey } from "@tanstack/react-query";

interface Answer {
  page?: { next_token: string };
}

interface Asked<A, Row> {
  queryKey: QueryKey;
  /** The page with this token, the first for "". */
  read: (token: string) => Promise<A>;
  rowsOf: (answer: A) => Row[];
  /** True: what was found before is shown until what is asked for now has come. */
  keep?: boolean;
}

/** What was had from the server so far, as a DataTable takes it. */
export interface Paged<Row> {
  rows: Row[] | undefined;
  problem: unknown;
  onRetry: () => void;
  /** The way to the next page. */
  more: { any: boolean; busy: boolean; load: () => void };
}

/** All rows had so far, and the way to the next. */
export function usePaged<A extends Answer, Row>(asked: Asked<A, Row>): Paged<Row> {
  const { queryKey, read, rowsOf, keep } = asked;
  const found = useInfiniteQuery({
    queryKey,
    initialPageParam: "",
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (answer) => answer.page?.next_token || undefined,
    ...(keep && { placeholderData: keepPreviousData }),
  });
  return {
    rows: found.data?.pages.flatMap(rowsOf),
    problem: found.error,
    onRetry: () => void found.refetch(),
    more: {
      any: found.hasNextPage,
      busy: found.isFetchingNextPage,
      load: () => void found.fetchNextPage(),
    },
  };
}
