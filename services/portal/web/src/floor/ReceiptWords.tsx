/** A receipt in words: what it comes to, who could, who can not and why, what comes next. */
import { Alert, List, Stack, Text } from "@mantine/core";
import { IconHelpCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { agents } from "@/api/boards";
import type { Receipt } from "@/api/types";
import { count } from "@/i18n/format";
import { Until } from "@/ui/Ticking";
import { Fact } from "./AgentPanel";
import { byReason, exprInWords, nextSteps, verdict, type ExprWords } from "./receipt";
import { useWhyNot } from "./words";

/** Names that are written out in one line. */
const NAMED = 6;
const COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"] as const;

export function ReceiptWords({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("floor");
  const whyNot = useWhyNot();
  const words = useExprWords();
  const found = verdict(receipt);
  const anybody = !receipt.expr || receipt.expr.kind === "any";
  const { groups, unlisted } = byReason(receipt);
  const steps = nextSteps(receipt);
  const free = Number(receipt.candidate_count);
  const fits = Number(receipt.qualified_count);
  return (
    <Stack gap="md">
      <Alert
        color={found === "soon" || found === "reserved" ? "teal" : "orange"}
        variant="light"
        icon={<IconHelpCircle aria-hidden />}
      >
        <Text size="sm" fw={560}>
          {t(`why.verdict.${found}`)}
        </Text>
      </Alert>
      <Fact label={t("why.accepts")}>
        <Text size="sm">
          {anybody ? words.any : t("expr.agents", { inside: exprInWords(receipt.expr, words) })}
        </Text>
        <Text size="xs" c="dimmed" mt={2}>
          {t("why.fits", { count: fits, all: count(free + Number(receipt.excluded_count)) })}
        </Text>
      </Fact>
      {free > 0 && (
        <Fact label={t("why.free", { count: free })}>
          <Names ids={receipt.candidates.map((each) => each.agent_id)} all={free} />
        </Fact>
      )}
      {groups.length > 0 && (
        <Fact label={t("why.excluded")}>
          <List size="sm" spacing={6} listStyleType="none">
            {groups.map(({ reason, agentIds }) => (
              <List.Item key={reason}>
                <Text size="sm" fw={560}>
                  {whyNot(reason)} · {count(agentIds.length)}
                </Text>
                <Names ids={agentIds} all={agentIds.length} />
              </List.Item>
            ))}
          </List>
          {unlisted > 0 && (
            <Text size="sm" c="dimmed" mt={4}>
              {t("why.unlisted", { count: unlisted })}
            </Text>
          )}
        </Fact>
      )}
      <Fact label={t("why.next")}>
        {steps.length === 0 ? (
          <Text size="sm">{t("why.nextNothing")}</Text>
        ) : (
          steps.map(({ kind, atMs }) => (
            <Text key={kind} size="sm">
              {t(`why.nextStep.${kind}`)} <Until ms={atMs} />
            </Text>
          ))
        )}
      </Fact>
    </Stack>
  );
}

function Names({ ids, all }: { ids: string[]; all: number }) {
  const { t } = useTranslation("floor");
  const names = ids.slice(0, NAMED).map((id) => agents.get()?.get(id)?.name ?? id);
  const others = all - names.length;
  return (
    <Text size="sm" c="dimmed">
      {names.join(", ")}
      {others > 0 && ` ${t("why.others", { count: others })}`}
    </Text>
  );
}

function useExprWords(): ExprWords {
  const { t } = useTranslation("floor");
  return {
    any: t("expr.any"),
    skill: (name, comparison, level) => {
      const known = COMPARISONS.find((each) => each === comparison) ?? "ge";
      return level <= 1 && known === "ge"
        ? t("expr.skill", { name })
        : t(`expr.level.${known}`, { name, level });
    },
    attribute: (name, equal, value) => t(equal ? "expr.is" : "expr.isNot", { name, value }),
    agent: (id) => agents.get()?.get(id)?.name ?? id,
    and: t("expr.and"),
    or: t("expr.or"),
    not: (inside) => t("expr.not", { inside }),
    group: (inside) => t("expr.group", { inside }),
  };
}
