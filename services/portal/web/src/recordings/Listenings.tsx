/** Who heard a recording, and when. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconEar } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { ErrorNote, Rows } from "@/ui/notes";
import { Part } from "./Evidence";

const PAGE = 50;

export function Listenings({ recordingId }: { recordingId: string }) {
  const { t } = useTranslation(["recordings", "common"]);
  const found = useInfiniteQuery({
    queryKey: ["listenings", recordingId],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      told(
        api.GET("/v1/recordings/{recording_id}/listenings", {
          params: {
            path: { recording_id: recordingId },
            query: { "page.size": PAGE, "page.token": pageParam },
          },
        }),
      ),
    getNextPageParam: (answer) => answer.page?.next_token || undefined,
  });
  const rows = found.data?.pages.flatMap((page) => page.listenings);
  return (
    <Part title={t("evidence.listened")}>
      {found.error && !rows && (
        <ErrorNote problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {!rows && !found.error && <Rows rows={2} height={24} />}
      {rows?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("evidence.nobody")}
        </Text>
      )}
      {rows && rows.length > 0 && (
        <Stack gap={6}>
          {rows.map((row) => (
            <Group key={`${row.listener_id} ${row.at_ms}`} gap="sm" wrap="nowrap">
              <IconEar size={16} aria-hidden />
              <Text size="sm" fw={560}>
                {row.listener_name || row.listener_id}
              </Text>
              <Text size="sm" c="dimmed" className="tabular">
                {when(ms(row.at_ms))}
              </Text>
            </Group>
          ))}
          {found.hasNextPage && (
            <Button
              variant="default"
              size="compact-sm"
              w="fit-content"
              loading={found.isFetchingNextPage}
              onClick={() => void found.fetchNextPage()}
            >
              {t("common:table.more")}
            </Button>
          )}
        </Stack>
      )}
    </Part>
  );
}
