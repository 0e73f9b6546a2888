/** Every contact of whoever calls, the newest first. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, told } from "@/api/client";
import type { DeskWork, PastContact } from "@/api/types";
import { numberOf } from "../work";

const SHOWN = 50;

export interface History {
  contacts: PastContact[] | undefined;
  problem: unknown;
  retry: () => void;
  /** A contact as the server has it now. */
  changed: (contact: PastContact) => void;
}

/** The history of the customer, or of the number where nobody is known. */
export function useHistory(work: DeskWork | undefined): History {
  const queries = useQueryClient();
  const card = work?.card;
  const customer = card?.known ? (card.customer?.customer_id ?? "") : "";
  const number = work ? numberOf(work) : "";
  const key = ["history", customer || number];
  const page = { "page.size": SHOWN };
  const { data, error, refetch } = useQuery({
    queryKey: key,
    enabled: (customer || number) !== "",
    queryFn: async () => {
      const answer = customer
        ? await told(
            api.GET("/v1/customers/{customer_id}/contacts", {
              params: { path: { customer_id: customer }, query: page },
            }),
          )
        : await told(
            api.GET("/v1/numbers/{number}/contacts", {
              params: { path: { number }, query: page },
            }),
          );
      return answer.contacts;
    },
    // The card came with the ring: it is shown until the whole list is there.
    ...(card && { placeholderData: card.latest }),
  });
  return {
    contacts: customer || number ? data : [],
    problem: error,
    retry: () => void refetch(),
    changed: (contact) =>
      queries.setQueryData<PastContact[]>(key, (before = []) =>
        before.some((each) => each.contact_id === contact.contact_id)
          ? before.map((each) => (each.contact_id === contact.contact_id ? contact : each))
          : [contact, ...before],
      ),
  };
}
