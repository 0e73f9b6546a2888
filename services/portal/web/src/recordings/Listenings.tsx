/** Who heard a recording, and when. */
import { Group, Text } from "@mantine/core";
import { IconEar } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";
import { PagedRows } from "@/ui/PagedRows";
import { usePaged } from "@/ui/paged";
import { Part } from "./Evidence";

const PAGE = 50;

export function Listenings({ recordingId }: { recordingId: string }) {
  const { t } = useTranslation(["recordings", "common"]);
  const found = usePaged({
    queryKey: ["listenings", recordingId],
    read: (token) =>
      told(
        api.GET("/v1/recordings/{recording_id}/listenings", {
          params: {
            path: { recording_id: recordingId },
            query: { "page.size": PAGE, "page.token": token },
          },
        }),
      ),
    rowsOf: (answer) => answer.listenings,
  });
  return (
    <Part title={t("evidence.listened")}>
      <PagedRows found={found} none={t("evidence.nobody")} likely={{ rows: 2, height: 24 }}>
        {(row) => (
          <Group key={`${row.listener_id} ${row.at_ms}`} gap="sm" wrap="nowrap">
            <IconEar size={16} aria-hidden />
            <Text size="sm" fw={560}>
              {row.listener_name || row.listener_id}
            </Text>
            <Text size="sm" c="dimmed" className="tabular">
              {when(ms(row.at_ms))}
            </Text>
          </Group>
        )}
      </PagedRows>
    </Part>
  );
}
