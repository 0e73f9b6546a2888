/** Whose number it is, with the way to their page. */
import { Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { Link } from "@/app/go";

/** Who a number belongs to; asked once a minute at most. */
export function useCard(number: string) {
  return useQuery({
    queryKey: ["card", number],
    enabled: number.startsWith("+"),
    staleTime: 60_000,
    queryFn: () => told(api.GET("/v1/customers:look-up", { params: { query: { number } } })),
  });
}

export function CustomerLink({ number }: { number: string }) {
  const { t } = useTranslation("contacts");
  const card = useCard(number);
  const customer = card.data?.known ? card.data.customer : undefined;
  if (!customer)
    return (
      <Text span size="sm" c="dimmed">
        {card.data || !number.startsWith("+") ? t("customer.unknown") : "…"}
      </Text>
    );
  return (
    <Anchor
      component={Link}
      href={`/customers?id=${encodeURIComponent(customer.customer_id)}`}
      size="sm"
    >
      {customer.name || t("customer.nameless")}
    </Anchor>
  );
}
