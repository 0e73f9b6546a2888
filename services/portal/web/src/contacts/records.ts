/** Records of the past, the newest first, read from the server page by page. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";

export const PAGE = 500;
/** Of rare records a page may be short: so many are read to fill the first one. */
const AT_ONCE = 4;

interface Paged {
  page?: { next_token: string };
}

export interface Records<Row> {
  /** undefined: not there yet. */
  rows: Row[] | undefined;
  problem: unknown;
  /** There are more than were read. */
  more: boolean;
  busy: boolean;
  load: () => void;
  retry: () => void;
}

/** The newest records of a stretch of time, and the way to the older ones. */
export function useRecords<Answer extends Paged, Row>(
  key: readonly unknown[],
  enabled: boolean,
  read: (token: string) => Promise<Answer>,
  rowsOf: (answer: Answer) => Row[],
): Records<Row> {
  const found = useInfiniteQuery({
    queryKey: ["records", ...key],
    enabled,
    initialPageParam: "",
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (answer) => answer.page?.next_token || undefined,
  });
  const pages = found.data?.pages ?? [];
  const rows = pages.flatMap(rowsOf);
  const reading = found.hasNextPage && pages.length < AT_ONCE && rows.length < PAGE;
  const { isFetching, fetchNextPage } = found;
  useEffect(() => {
    if (reading && !isFetching) void fetchNextPage();
  }, [reading, isFetching, fetchNextPage]);
  return {
    rows: found.data && !reading ? rows : undefined,
    problem: found.error,
    more: found.hasNextPage,
    busy: found.isFetchingNextPage,
    load: () => void found.fetchNextPage(),
    retry: () => void found.refetch(),
  };
}
