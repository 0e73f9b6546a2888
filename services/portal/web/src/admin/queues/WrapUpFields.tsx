/** How an agent finishes a contact's work. */
import { Checkbox, Radio, SimpleGrid, Stack, TextInput, NumberInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { MODES, type WrapUp } from "./rules";
import { Seconds } from "./Seconds";

interface Props {
  value: WrapUp;
  onChange: (value: WrapUp) => void;
  error?: string | false;
}

export function WrapUpFields({ value, onChange, error }: Props) {
  const { t } = useTranslation("admin");
  const mode = value.mode ?? "timed";
  return (
    <Stack gap="sm">
      <Radio.Group
        aria-label={t("wrapUp.mode")}
        value={mode}
        onChange={(next) => onChange({ ...value, mode: next })}
      >
        <Stack gap={6}>
          {MODES.map((each) => (
            <Radio
              key={each}
              value={each}
              label={t(`wrapUp.is.${each}`)}
              description={t(`wrapUp.help.${each}`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {(mode === "timed" || mode === "forced") && (
        <SimpleGrid cols={2} spacing="sm">
          <Seconds
            label={t("wrapUp.max")}
            value={value.max_ms ?? "30000"}
            onChange={(max_ms) => onChange({ ...value, max_ms })}
          />
          <Seconds
            label={t("wrapUp.min")}
            value={value.min_ms}
            onChange={(min_ms) => onChange({ ...value, min_ms })}
            error={error ?? false}
          />
          <NumberInput
            label={t("wrapUp.extensions")}
            value={Number(value.extensions)}
            onChange={(next) => onChange({ ...value, extensions: String(Number(next) || 0) })}
            min={0}
            max={20}
          />
          <Seconds
            label={t("wrapUp.extension")}
            value={value.extension_ms}
            onChange={(extension_ms) => onChange({ ...value, extension_ms })}
          />
        </SimpleGrid>
      )}
      {mode !== "none" && (
        <>
          <Checkbox
            label={t("wrapUp.codeRequired")}
            checked={value.code_required}
            onChange={(event) => onChange({ ...value, code_required: event.currentTarget.checked })}
          />
          <Checkbox
            label={t("wrapUp.codeEnds")}
            checked={value.code_ends}
            onChange={(event) => onChange({ ...value, code_ends: event.currentTarget.checked })}
          />
          <TextInput
            label={t("wrapUp.defaultCode")}
            value={value.default_code}
            onChange={(event) => onChange({ ...value, default_code: event.currentTarget.value })}
          />
        </>
      )}
    </Stack>
  );
}
