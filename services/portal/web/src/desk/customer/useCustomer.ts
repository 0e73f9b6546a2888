/** Whose contact it is, with what was changed here: the desk itself looks a card up only once. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { DeskWork, Schema } from "@/api/types";

export type CustomerOf = Schema<"crm.v1.Customer">;

/** The customer (undefined: nobody we know), and what to do with one that was saved. */
export function useCustomer(
  work: DeskWork | undefined,
): [CustomerOf | undefined, (saved: CustomerOf) => void] {
  const queries = useQueryClient();
  const key = ["desk-customer", work?.reservation?.contact_id ?? ""];
  const { data: changed } = useQuery<CustomerOf | null>({
    queryKey: key,
    queryFn: () => null,
    initialData: null,
    staleTime: Infinity,
    enabled: false,
  });
  const card = work?.card;
  return [
    changed ?? (card?.known ? card.customer : undefined),
    (saved) => queries.setQueryData(key, saved),
  ];
}
