/** One node in words: what it does, what it says, where it leads. */
import { Anchor, Button, CloseButton, Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconCode } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Fault } from "./data";
import { Faults } from "./Faults";
import { iconOf, kindOf } from "./kinds";
import { GOES_ON, KINDS, promptWords, type FlowNode, type Json } from "./model";
import { useWords } from "./useWords";

interface Props {
  node: FlowNode;
  faults: Fault[];
  /** Ids of all nodes. */
  nodes: ReadonlySet<string>;
  onSelect: (node: string) => void;
  onJson: () => void;
  onClose: () => void;
}

const PROMPTS = new Set(["prompts", "invalid_prompts", "music"]);
/** Fields whose values lead to nodes, besides those that are one. */
const LEADS = new Set(["choices", "on_exit"]);

export function NodePanel({ node, faults, nodes, onSelect, onJson, onClose }: Props) {
  const { t } = useTranslation("flows");
  const { fieldWords } = useWords();
  const kind = kindOf(node.kind);
  const Shown = iconOf(kind);
  const order = KINDS[node.kind] ?? Object.keys(node.fields);
  const fields = order.filter((field) => node.fields[field] !== undefined && field !== "kind");
  return (
    <Stack gap="md" p="md">
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <ThemeIcon variant="light" size={38} radius="md">
          <Shown size={21} aria-hidden />
        </ThemeIcon>
        <div style={{ flex: 1, minWidth: 0 }}>
          <Title order={2} fz="md">
            {t(`kind.${kind}`)}
          </Title>
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {node.id}
          </Text>
        </div>
        <CloseButton aria-label={t("close")} onClick={onClose} />
      </Group>
      <Text size="sm">{t(`does.${kind}`)}</Text>
      {faults.length > 0 && <Faults faults={faults} />}
      <Stack gap="sm" component="dl" m={0}>
        {fields.map((field) => (
          <div key={field}>
            <Text component="dt" size="xs" c="dimmed" fw={560}>
              {fieldWords(field)}
            </Text>
            <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
              <Value field={field} value={node.fields[field]} nodes={nodes} onSelect={onSelect} />
            </Text>
          </div>
        ))}
      </Stack>
      <Button
        variant="light"
        leftSection={<IconCode size={16} aria-hidden />}
        onClick={onJson}
        style={{ alignSelf: "flex-start" }}
      >
        {t("toJson")}
      </Button>
    </Stack>
  );
}

interface ValueProps {
  field: string;
  value: Json | undefined;
  nodes: ReadonlySet<string>;
  onSelect: (node: string) => void;
}

function Value({ field, value, nodes, onSelect }: ValueProps) {
  const { t } = useTranslation(["flows", "common"]);
  const { exitWords, named } = useWords();
  const toNode = (id: string) =>
    nodes.has(id) ? (
      <Anchor component="button" type="button" size="sm" onClick={() => onSelect(id)}>
        {id}
      </Anchor>
    ) : (
      id
    );
  if (field === "queue" && typeof value === "string") return named.queue(value);
  if (typeof value === "boolean") return t(value ? "common:yes" : "common:no");
  if (typeof value === "string")
    return (GOES_ON as readonly string[]).includes(field) ? toNode(value) : value;
  if (typeof value === "number") return String(value);
  if (PROMPTS.has(field)) return promptWords(value, named);
  if (Array.isArray(value))
    return value.map((one, at) => {
      const words = promptWords(one, named);
      if (words) return <div key={at}>{words}</div>;
      if (typeof one !== "object" || one === null || Array.isArray(one)) return null;
      return (
        <div key={at}>
          {String(one.when ?? "")} → {toNode(String(one.next ?? ""))}
        </div>
      );
    });
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return entries.map(([key, one]) => (
      <div key={key}>
        {field === "on_exit" ? exitWords(key) : key}
        {LEADS.has(field) ? " → " : ": "}
        {LEADS.has(field) && typeof one === "string" ? toNode(one) : plain(one)}
      </div>
    ));
  }
  return null;
}

function plain(value: Json): string {
  if (Array.isArray(value)) return value.map(plain).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
