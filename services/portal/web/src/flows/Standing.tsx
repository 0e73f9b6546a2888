/** Which version calls get, and whether a newer one waits. */
import { Badge, Group, Text } from "@mantine/core";
import { IconCircleCheck, IconCircleDashed } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

interface Props {
  published: number;
  newest: number;
  /** True: the version stands beside it already. */
  bare?: boolean;
}

export function Standing({ published, newest, bare = false }: Props) {
  const { t } = useTranslation("flows");
  return (
    <Group gap={8} wrap="wrap">
      {published > 0 ? (
        <Badge variant="light" color="teal" leftSection={<IconCircleCheck size={14} aria-hidden />}>
          {t(bare ? "published" : "publishedVersion", { version: published })}
        </Badge>
      ) : (
        <Badge
          variant="light"
          color="gray"
          leftSection={<IconCircleDashed size={14} aria-hidden />}
        >
          {t("notPublished")}
        </Badge>
      )}
      {published > 0 && newest > published && (
        <Text span size="xs" c="dimmed">
          {t("ahead", { version: newest })}
        </Text>
      )}
    </Group>
  );
}
