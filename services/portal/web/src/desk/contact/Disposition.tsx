/** What the contact was about, as choices; as text where nobody has made any. */
import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeskWork } from "@/api/types";
import { idOf } from "../words";
import type { DispositionState } from "./useDisposition";
import classes from "../Desk.module.css";

/** More choices than this are searched. */
const SEARCH_FROM = 13;
const MAX_CHARS = 100;

interface Props {
  work: DeskWork;
  disposition: DispositionState;
}

export function Disposition({ work, disposition }: Props) {
  const { t } = useTranslation("desk");
  const { choices, code, choose, kept } = disposition;
  return (
    <Stack gap="xs" component="section" aria-labelledby="disposition-title">
      <Group gap="xs" justify="space-between">
        <Title order={2} id="disposition-title" fz="md">
          {t("disposition.title")}
        </Title>
        <Text size="xs" c="dimmed" role="status">
          {kept ? t("disposition.kept") : code ? t("disposition.saved") : ""}
        </Text>
      </Group>
      {!choices ? (
        <Skeleton height={34} />
      ) : choices.length > 0 ? (
        <Choices choices={choices} code={code} choose={choose} />
      ) : (
        <FreeText key={idOf(work)} code={code} choose={choose} />
      )}
    </Stack>
  );
}

type ChoicesProps = Pick<DispositionState, "code" | "choose"> & {
  choices: NonNullable<DispositionState["choices"]>;
};

function Choices({ choices, code, choose }: ChoicesProps) {
  const { t } = useTranslation("desk");
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const shown = choices.filter(
    (each) => each.code === code || each.label.toLowerCase().includes(wanted),
  );
  return (
    <>
      {choices.length >= SEARCH_FROM && (
        <TextInput
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          placeholder={t("disposition.search")}
          aria-label={t("disposition.search")}
        />
      )}
      <div className={classes.choices} role="radiogroup" aria-labelledby="disposition-title">
        {shown.map((each) => (
          <Button
            key={each.code}
            role="radio"
            aria-checked={each.code === code}
            variant={each.code === code ? "filled" : "default"}
            size="compact-md"
            fw={500}
            leftSection={each.code === code ? <IconCheck size={16} aria-hidden /> : undefined}
            onClick={() => choose(each.code)}
          >
            {each.label}
          </Button>
        ))}
      </div>
      {shown.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("disposition.nothing")}
        </Text>
      )}
    </>
  );
}

function FreeText({ code, choose }: Pick<DispositionState, "code" | "choose">) {
  const { t } = useTranslation("desk");
  const [text, setText] = useState(code);
  const changed = text.trim() !== code && text.trim() !== "";
  return (
    <TextInput
      value={text}
      maxLength={MAX_CHARS}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => changed && choose(text.trim())}
      onKeyDown={(event) => event.key === "Enter" && changed && choose(text.trim())}
      placeholder={t("disposition.text")}
      aria-labelledby="disposition-title"
    />
  );
}
