/** What recordings are searched by; all of it stands in the address. */
import { Button, Group, Paper, Select, Stack, TextInput } from "@mantine/core";
import { IconFilter, IconHash, IconPhone, IconTag } from "@tabler/icons-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useAgentOptions, useQueueOptions, withChosen } from "@/contacts/people";
import { RangePicker } from "@/reports/RangePicker";
import type { Choice, Range } from "@/reports/ranges";
import { HALF } from "@/ui/half";

/** So long after the last letter the search begins. */
const PATIENCE_MS = 400;
const NAMES = ["number", "agent", "queue", "state", "attribute", "ref", "range", "from", "to"];
const STATES = ["complete", "incomplete", "recording"] as const;

interface Props {
  params: URLSearchParams;
  change: (changes: Record<string, string | null>) => void;
  choice: Choice;
  range: Range | null;
  /** False: an agent, who sees only their own. */
  lead: boolean;
}

export function Filters({ params, change, choice, range, lead }: Props) {
  const { t } = useTranslation(["recordings", "common"]);
  const value = (name: string) => params.get(name) ?? "";
  const queues = withChosen(useQueueOptions(), [value("queue")].filter(Boolean));
  const agents = withChosen(useAgentOptions(lead), [value("agent")].filter(Boolean));
  const [more, setMore] = useState(Boolean(value("attribute") || value("ref")));
  const wanted = value("attribute");
  const any = NAMES.some((name) => params.has(name));
  return (
    <Paper className="panel" p="md" component="search">
      <Stack gap="sm">
        <Group gap="sm" align="flex-end">
          <TextFilter
            label={t("filter.number")}
            value={value("number")}
            onChange={(number) => change({ number })}
            icon={<IconPhone size={16} aria-hidden />}
            search
          />
          {lead && (
            <Select
              label={t("filter.agent")}
              placeholder={t("common:table.all")}
              data={agents}
              value={value("agent") || null}
              onChange={(agent) => change({ agent })}
              searchable
              clearable
              w={{ base: HALF, xs: 180 }}
            />
          )}
          <Select
            label={t("filter.queue")}
            placeholder={t("common:table.all")}
            data={queues}
            value={value("queue") || null}
            onChange={(queue) => change({ queue })}
            searchable
            clearable
            w={{ base: HALF, xs: 170 }}
          />
          <Select
            label={t("filter.state")}
            placeholder={t("common:table.all")}
            data={STATES.map((each) => ({ value: each, label: t(`state.${each}`) }))}
            value={value("state") || null}
            onChange={(state) => change({ state })}
            clearable
            w={{ base: HALF, xs: 160 }}
          />
          <Button
            variant="default"
            leftSection={<IconFilter size={16} aria-hidden />}
            onClick={() => setMore(!more)}
            aria-expanded={more}
          >
            {t("filter.more")}
          </Button>
          {any && (
            <Button
              variant="subtle"
              onClick={() => change(Object.fromEntries(NAMES.map((name) => [name, null])))}
            >
              {t("common:action.clear")}
            </Button>
          )}
        </Group>
        {more && (
          <Group gap="sm" align="flex-start">
            <TextFilter
              label={t("filter.attribute")}
              placeholder={t("filter.attributeExample")}
              value={wanted}
              onChange={(attribute) => change({ attribute })}
              icon={<IconTag size={16} aria-hidden />}
              error={wanted && !/^[^=]+=/.test(wanted) ? t("filter.attributeForm") : undefined}
            />
            <TextFilter
              label={t("filter.ref")}
              value={value("ref")}
              onChange={(ref) => change({ ref })}
              icon={<IconHash size={16} aria-hidden />}
            />
          </Group>
        )}
        <RangePicker choice={choice} range={range} onChange={change} all />
      </Stack>
    </Paper>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  icon?: ReactNode;
  placeholder?: string;
  error?: string | undefined;
  /** True: `/` leads here. */
  search?: boolean;
  width?: number;
}

/** A field whose text is searched for a moment after the last letter. */
export function TextFilter({ label, value, onChange, icon, search, width, ...rest }: TextProps) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Cleared or changed from outside, but not while somebody types on.
  useEffect(() => {
    setText((mine) => (mine.trim() === value ? mine : value));
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), PATIENCE_MS);
  };
  return (
    <TextInput
      label={label}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      leftSection={icon}
      {...(search && { "data-search": true })}
      {...rest}
      w={{ base: "100%", xs: width ?? 210 }}
    />
  );
}
