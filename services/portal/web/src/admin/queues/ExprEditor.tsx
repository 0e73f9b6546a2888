/** Builds a condition on agents: comparisons, and/or/not. */
import {
  ActionIcon,
  Autocomplete,
  Button,
  Group,
  NumberInput,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Option } from "@/contacts/people";
import { asKind, COMPARISONS, emptyExpr, KINDS, sign, type Expr, type Kind } from "./expr";
import classes from "./ExprEditor.module.css";

/** Nobody reads deeper conditions than this. */
const DEEPEST = 4;

interface Props {
  expr: Expr;
  onChange: (expr: Expr) => void;
  skills: string[];
  agents: Option[];
  onRemove?: () => void;
  depth?: number;
}

export function ExprEditor({ expr, onChange, skills, agents, onRemove, depth = 0 }: Props) {
  const { t } = useTranslation("admin");
  const group = ["and", "or", "not"].includes(expr.kind);
  const kinds =
    depth < DEEPEST ? KINDS : KINDS.filter((kind) => !["and", "or", "not"].includes(kind));
  const partIs = (place: number, next: Expr | null) =>
    onChange({
      ...expr,
      of: next
        ? expr.of.map((part, at) => (at === place ? next : part))
        : expr.of.filter((_, at) => at !== place),
    });
  return (
    <Stack gap={6}>
      <Group gap={6} align="center">
        <Select
          aria-label={t("expr.kind")}
          data={kinds.map((value) => ({ value, label: t(`expr.${value}`) }))}
          value={expr.kind}
          onChange={(kind) => kind && onChange(asKind(expr, kind as Kind))}
          allowDeselect={false}
          size="xs"
          w={150}
        />
        {expr.kind === "skill" && (
          <Autocomplete
            aria-label={t("users.skill")}
            placeholder={t("users.skill")}
            data={skills}
            value={expr.name}
            onChange={(name) => onChange({ ...expr, name })}
            size="xs"
            w={130}
          />
        )}
        {expr.kind === "attribute" && (
          <TextInput
            aria-label={t("expr.attributeName")}
            placeholder={t("expr.attributeName")}
            value={expr.name}
            onChange={(event) => onChange({ ...expr, name: event.currentTarget.value })}
            size="xs"
            w={110}
          />
        )}
        {(expr.kind === "skill" || expr.kind === "attribute") && (
          <Select
            aria-label={t("expr.comparison")}
            data={(expr.kind === "skill" ? COMPARISONS : (["eq", "ne"] as const)).map((value) => ({
              value,
              label: sign(value),
            }))}
            value={expr.comparison ?? (expr.kind === "skill" ? "ge" : "eq")}
            onChange={(comparison) => comparison && onChange({ ...expr, comparison })}
            allowDeselect={false}
            size="xs"
            w={64}
          />
        )}
        {expr.kind === "skill" && (
          <NumberInput
            aria-label={t("users.level")}
            value={Number(expr.level ?? 1)}
            onChange={(level) => onChange({ ...expr, level: String(Number(level) || 1) })}
            min={1}
            max={10}
            clampBehavior="strict"
            size="xs"
            w={64}
          />
        )}
        {expr.kind === "attribute" && (
          <TextInput
            aria-label={t("expr.attributeValue")}
            placeholder={t("expr.attributeValue")}
            value={expr.value}
            onChange={(event) => onChange({ ...expr, value: event.currentTarget.value })}
            size="xs"
            w={110}
          />
        )}
        {expr.kind === "agent" && (
          <Select
            aria-label={t("expr.agent")}
            placeholder={t("expr.agent")}
            data={agents}
            value={expr.value || null}
            onChange={(value) => onChange({ ...expr, value: value ?? "" })}
            searchable
            size="xs"
            w={180}
          />
        )}
        {onRemove && (
          <ActionIcon size="sm" aria-label={t("expr.remove")} onClick={onRemove}>
            <IconX size={14} />
          </ActionIcon>
        )}
      </Group>
      {group && (
        <Stack gap={6} className={classes.parts}>
          {expr.of.map((part, place) => (
            <ExprEditor
              key={place}
              expr={part}
              onChange={(next) => partIs(place, next)}
              skills={skills}
              agents={agents}
              depth={depth + 1}
              {...(expr.kind !== "not" && { onRemove: () => partIs(place, null) })}
            />
          ))}
          {expr.kind !== "not" && (
            <Button
              variant="subtle"
              size="compact-xs"
              leftSection={<IconPlus size={12} aria-hidden />}
              onClick={() => onChange({ ...expr, of: [...expr.of, emptyExpr("skill")] })}
              style={{ alignSelf: "flex-start" }}
            >
              {t("expr.add")}
            </Button>
          )}
        </Stack>
      )}
    </Stack>
  );
}
