/** The frame of a page: what it is, what can be done, and the content. */
import { Anchor, Box, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "@/app/go";

interface Props {
  title: string;
  /** One sentence below the title. */
  lead?: ReactNode;
  /** Where the page belongs, shown above the title. */
  back?: { to: string; label: string };
  /** Buttons at the right. */
  actions?: ReactNode;
  /** True: the content takes the whole height that is left. */
  full?: boolean;
  children: ReactNode;
}

export function Page({ title, lead, back, actions, full = false, children }: Props) {
  const { t } = useTranslation();
  useDocumentTitle(`${title} · ${t("app.name")}`);
  return (
    <Stack
      gap="lg"
      p={{ base: "md", sm: "xl" }}
      maw={full ? undefined : 1440}
      mx="auto"
      h={full ? "100%" : undefined}
      pb={full ? "md" : "xl"}
    >
      <Group justify="space-between" align="flex-end" gap="md">
        <Box>
          {back && (
            <Anchor component={Link} href={back.to} size="sm">
              ← {back.label}
            </Anchor>
          )}
          <Title order={1}>{title}</Title>
          {lead && (
            <Text c="dimmed" mt={2} maw={760} component="div">
              {lead}
            </Text>
          )}
        </Box>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
