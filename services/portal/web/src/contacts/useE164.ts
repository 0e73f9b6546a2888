/** Reads numbers as people of the tenant's region write them. */
import { useQuery } from "@tanstack/react-query";
import type { CountryCode } from "libphonenumber-js/min";
import { useCallback, useEffect, useState } from "react";
import { api, told } from "@/api/client";
import { phoneLibrary } from "@/i18n/phone";

type Library = Awaited<ReturnType<typeof phoneLibrary>>;

/** The number in E.164; empty: it is none. Without the library only what is E.164 already. */
export function useE164(): (text: string) => string {
  const [library, setLibrary] = useState<Library | null>(null);
  useEffect(() => {
    void phoneLibrary().then((found) => setLibrary(() => found));
  }, []);
  const tenant = useQuery({
    queryKey: ["tenant"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => told(api.GET("/v1/tenant")),
  });
  const region = tenant.data?.region;
  return useCallback(
    (text) => {
      const plain = text.trim();
      if (!library) return /^\+[1-9]\d{1,14}$/.test(plain) ? plain : "";
      const found = library.parsePhoneNumberFromString(plain, (region || undefined) as CountryCode);
      return found?.isPossible() ? found.number : "";
    },
    [library, region],
  );
}
