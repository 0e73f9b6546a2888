/** Which time: a preset, or two instants of one's own in the tenant's zone. */
import { Group, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { zone } from "@/i18n/format";
import { dateText, dayAfter, momentMs, momentText, PRESETS, startOfDate } from "./ranges";
import type { Choice, Range } from "./ranges";

interface Props {
  choice: Choice;
  range: Range | null;
  onChange: (changes: Record<string, string | null>) => void;
  /** True: no limit may be chosen, too. */
  all?: boolean;
  /** True: to the minute, not only to the day. */
  minutes?: boolean;
}

/** How high the labels of the instants are, which the choice beside them does not have. */
const LABEL_PX = 25;

export function RangePicker({ choice, range, onChange, all = false, minutes = false }: Props) {
  const { t } = useTranslation("reports");
  const choices: Choice[] = [...(all ? (["all"] as const) : []), ...PRESETS, "custom"];
  const data = choices.map((each) => ({ value: each, label: t(`range.${each}`) }));
  const choose = (next: string | null) => {
    if (!next) return;
    if (next !== "custom") return onChange({ range: next, from: null, to: null });
    const now = Date.now();
    const from = range?.fromMs ?? dayAfter(now, -6, zone());
    onChange({ range: null, ...asParams(from, range?.toMs ?? dayAfter(now, 1, zone()), minutes) });
  };
  const beside = choice === "custom" ? LABEL_PX : 0;
  return (
    <Group gap="sm" align="flex-start">
      <SegmentedControl
        visibleFrom="sm"
        mt={beside}
        aria-label={t("range.label")}
        data={data}
        value={choice}
        onChange={choose}
      />
      <Select
        hiddenFrom="sm"
        mt={beside}
        aria-label={t("range.label")}
        data={data}
        value={choice}
        onChange={choose}
        allowDeselect={false}
        w={180}
      />
      {choice === "custom" && range && (
        <Instants
          key={`${range.fromMs} ${range.toMs}`}
          range={range}
          minutes={minutes}
          onChange={onChange}
        />
      )}
    </Group>
  );
}

function asParams(fromMs: number, toMs: number, minutes: boolean) {
  if (minutes) return { from: String(fromMs), to: String(toMs) };
  // People mean the last day that is shown; the range ends where it does.
  return { from: dateText(fromMs, zone()), to: dateText(toMs - 1, zone()) };
}

interface InstantsProps {
  range: Range;
  minutes: boolean;
  onChange: Props["onChange"];
}

function Instants({ range, minutes, onChange }: InstantsProps) {
  const { t } = useTranslation("reports");
  const write = (atMs: number) => (minutes ? momentText : dateText)(atMs, zone());
  const read = (text: string) => (minutes ? momentMs : startOfDate)(text, zone());
  const [from, setFrom] = useState(write(range.fromMs));
  const [to, setTo] = useState(write(minutes ? range.toMs : range.toMs - 1));
  const fromMs = read(from);
  const toMs = read(to);
  const end = toMs === null ? null : minutes ? toMs : dayAfter(toMs, 1, zone());
  const wrong = fromMs === null || end === null || fromMs >= end;
  const send = () => {
    if (wrong || (fromMs === range.fromMs && end === range.toMs)) return;
    onChange({ range: null, ...asParams(fromMs, end, minutes) });
  };
  const type = minutes ? "datetime-local" : "date";
  return (
    <>
      <TextInput
        type={type}
        label={t("range.from")}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
        onBlur={send}
        onKeyDown={(event) => event.key === "Enter" && send()}
        w={minutes ? 200 : 150}
      />
      <TextInput
        type={type}
        label={t("range.to")}
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
        onBlur={send}
        onKeyDown={(event) => event.key === "Enter" && send()}
        error={wrong && t("range.wrong")}
        w={minutes ? 200 : 150}
      />
    </>
  );
}
