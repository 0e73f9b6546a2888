/** One line of the trail, whole. */
import { Code, SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ms } from "@/api/types";
import { clock, day } from "@/i18n/format";
import { pretty } from "@/ui/json";
import { SidePanel } from "@/ui/SidePanel";
import { Outcome, type AuditEntry } from "./Audit";
import { actionWords } from "./audit";

interface Props {
  entry: AuditEntry;
  /** What it was about, in words. */
  subject: string;
  onClose: () => void;
}

export function AuditDetail({ entry, subject, onClose }: Props) {
  const { t, i18n } = useTranslation(["admin", "common"]);
  const why = `common:error.${entry.outcome}`;
  const kind = entry.actor_kind === "api-key" ? "apiKey" : entry.actor_kind;
  const at = ms(entry.at_ms);
  return (
    <SidePanel opened title={actionWords(entry.action)} onClose={onClose} size={560}>
      <SimpleGrid cols={2} spacing="md">
        <Fact label={t("audit.who")}>
          {entry.actor_name || t("audit.nobody")}
          <Text size="xs" c="dimmed">
            {kind === "user" || kind === "apiKey" || kind === "anonymous"
              ? t(`audit.kind.${kind}`)
              : kind}
          </Text>
        </Fact>
        <Fact label={t("audit.outcome")}>
          <Outcome outcome={entry.outcome} />
          {i18n.exists(why) && (
            <Text size="xs" c="dimmed" mt={4}>
              {t(why as "common:error.fault")}
            </Text>
          )}
        </Fact>
        <Fact label={t("audit.when")}>{`${day(at)}, ${clock(at)}`}</Fact>
        <Fact label={t("audit.from")}>{entry.address || "–"}</Fact>
        <Fact label={t("audit.subject")}>
          {subject || "–"}
          {subject !== entry.subject && (
            <Text size="xs" c="dimmed">
              {entry.subject}
            </Text>
          )}
        </Fact>
        <Fact label={t("audit.name")}>{entry.action}</Fact>
      </SimpleGrid>
      {entry.detail_json && (
        <Stack gap={6}>
          <Text fw={560} size="sm">
            {t("audit.detail")}
          </Text>
          <Code block>{pretty(entry.detail_json)}</Code>
        </Stack>
      )}
    </SidePanel>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed" fw={560}>
        {label}
      </Text>
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </div>
  );
}
