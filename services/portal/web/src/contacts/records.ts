/** Records of the past, read from the server page by page until there are enough to look through. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";

export const PAGE = 500;
/** Pages that are read without being asked for: what people look through at once. */
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

/** All records of a stretch of time, or its first 2,000 and the way to the others. */
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
  const reading = found.hasNextPage && pages.length < AT_ONCE;
  const { isFetching, fetchNextPage } = found;
  useEffect(() => {
    if (reading && !isFetching) void fetchNextPage();
  }, [reading, isFetching, fetchNextPage]);
  return {
    rows: found.data && !reading ? pages.flatMap(rowsOf) : undefined,
    problem: found.error,
    more: found.hasNextPage,
    busy: found.isFetchingNextPage,
    load: () => void found.fetchNextPage(),
    retry: () => void found.refetch(),
  };
}
