/** Names and what they stand for, in two columns. */
import { SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

export interface Fact {
  name: string;
  value: ReactNode;
}

/** Facts without a value are left out. */
export function Facts({ facts, cols = 2 }: { facts: Fact[]; cols?: number }) {
  return (
    <SimpleGrid component="dl" cols={{ base: 2, md: cols }} m={0} spacing="md">
      {facts
        .filter((fact) => fact.value !== "" && fact.value !== null && fact.value !== undefined)
        .map((fact) => (
          <Stack key={fact.name} gap={1} miw={0}>
            <Text component="dt" size="xs" c="dimmed" fw={560}>
              {fact.name}
            </Text>
            <Text component="dd" m={0} size="sm" style={{ overflowWrap: "anywhere" }}>
              {fact.value}
            </Text>
          </Stack>
        ))}
    </SimpleGrid>
  );
}
