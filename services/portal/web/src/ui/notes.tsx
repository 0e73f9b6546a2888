/** What stands where there is nothing to show: not yet, nothing, or a failure. */
import {
  Alert,
  Button,
  Center,
  Group,
  Loader,
  Skeleton,
  Stack,
  Text,
  ThemeIcon,
} from "@mantine/core";
import { IconAlertTriangle, IconMoodEmpty, type Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { inWords } from "./words";

interface EmptyProps {
  icon?: Icon;
  title: string;
  /** What to do first. */
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing is there, and what to do about it. */
export function Empty({ icon: Shown = IconMoodEmpty, title, children, action }: EmptyProps) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="sm" maw={460}>
        <ThemeIcon size={52} radius="xl" variant="light" color="bell">
          <Shown size={26} stroke={1.6} aria-hidden />
        </ThemeIcon>
        <Text fw={600} size="lg" ta="center">
          {title}
        </Text>
        {children && (
          <Text c="dimmed" ta="center" component="div">
            {children}
          </Text>
        )}
        {action && <Group mt="xs">{action}</Group>}
      </Stack>
    </Center>
  );
}

/** A failure in words, with a way to try again. */
export function ErrorNote({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t("error.title")}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{inWords(problem)}</Text>
        {onRetry && (
          <Button size="compact-sm" variant="light" color="red" onClick={onRetry}>
            {t("action.retry")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Rows that are being fetched, as high as what will come. */
export function Rows({ rows = 6, height = 40 }: { rows?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <Stack gap="xs" role="status" aria-label={t("table.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </Stack>
  );
}

/** A whole page that is being fetched. */
export function PageLoader() {
  const { t } = useTranslation();
  return (
    <Center h="60vh" role="status" aria-label={t("table.loading")}>
      <Loader type="dots" />
    </Center>
  );
}
