/** What dispositions are called; contacts only keep their codes. */
import { useQuery } from "@tanstack/react-query";
import { api, told } from "@/api/client";

/** Writes codes as people read them; one that there is not any more is shown as it is. */
export function useLabels(): (codes: string[]) => string {
  const { data } = useQuery({
    queryKey: ["dispositions", ""],
    queryFn: () => told(api.GET("/v1/dispositions")),
    staleTime: 300_000,
  });
  return (codes) =>
    codes
      .map((code) => data?.dispositions.find((each) => each.code === code)?.label || code)
      .join(", ");
}
