/** Reads phone numbers as people of the tenant's region write them. */
import { useQueryClient } from "@tanstack/react-query";
import { api, told } from "@/api/client";
import { phoneLibrary } from "@/i18n/phone";

interface Read {
  /** In E.164. */
  listed: string[];
  /** The first that is no number; empty: all are. */
  bad: string;
}

/** Answers a function that reads one number a line, or with commas between them. */
export function useNumbers(): (text: string) => Promise<Read> {
  const queries = useQueryClient();
  return async (text) => {
    const [library, tenant] = await Promise.all([
      phoneLibrary(),
      queries
        .fetchQuery({
          queryKey: ["tenant"],
          queryFn: () => told(api.GET("/v1/tenant")),
          staleTime: 60_000,
        })
        .catch(() => null),
    ]);
    const typed = text
      .split(/[\n,;]/)
      .map((each) => each.trim())
      .filter(Boolean);
    const listed: string[] = [];
    for (const each of typed) {
      const region = (tenant?.region || undefined) as Parameters<
        typeof library.parsePhoneNumberFromString
      >[1];
      const parsed = library.parsePhoneNumberFromString(each, region);
      if (!parsed?.isPossible()) return { listed: [], bad: each };
      if (!listed.includes(parsed.number)) listed.push(parsed.number);
    }
    return { listed, bad: "" };
  };
}
