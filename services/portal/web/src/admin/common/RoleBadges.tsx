/** Roles as words. */
import { Badge, Group } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Role } from "@/app/nav";

const COLORS: Partial<Record<string, string>> = { administrator: "violet", supervisor: "bell" };

export function RoleBadges({ roles }: { roles: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <Group gap={4}>
      {roles.map((role) => (
        <Badge key={role} color={COLORS[role] ?? "gray"}>
          {t(`role.${role as Role}`)}
        </Badge>
      ))}
    </Group>
  );
}
