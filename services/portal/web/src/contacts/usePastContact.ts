/** One contact as the customers' history keeps it, with its notes. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, told } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { PastContact } from "@/api/types";

export function usePastContact(contact_id: string) {
  const queries = useQueryClient();
  const key = ["past-contact", contact_id];
  const found = useQuery({
    queryKey: key,
    enabled: contact_id !== "",
    queryFn: async (): Promise<PastContact | null> => {
      try {
        return await told(
          api.GET("/v1/contacts/{contact_id}", { params: { path: { contact_id } } }),
        );
      } catch (fault) {
        // The history hears of a contact a moment after the desk does.
        if (asProblem(fault).status === 404) return null;
        throw fault;
      }
    },
  });
  return {
    ...found,
    notes: found.data?.notes ?? [],
    /** The contact as the server has it now. */
    changed: (contact: PastContact) => queries.setQueryData(key, contact),
  };
}
