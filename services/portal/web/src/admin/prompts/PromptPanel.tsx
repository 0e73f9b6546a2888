/** One prompt: what it says, and its sound: synthesised, uploaded, or recorded here. */
import {
  Alert,
  Button,
  Group,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, raw, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { length } from "@/i18n/format";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { useVoices } from "../common/data";
import { Drop } from "../common/Drop";
import { IdField } from "../common/IdField";
import { isSlug, slug } from "../common/slug";
import { Listen, Sound } from "./Listen";
import { Recorder } from "./Recorder";
import { faultOf, type WavFault } from "./wav";

export type Prompt = Schema<"ivr.v1.LibraryPrompt">;

interface Props {
  /** null: a new one. */
  old: Prompt | null;
  taken: string[];
  onClose: () => void;
  /** Something was kept; the panel stays open until it is closed. */
  onKept: () => void;
  onRemove: (prompt: Prompt) => void;
}

export function PromptPanel({ old, taken, onClose, onKept, onRemove }: Props) {
  const { t, i18n } = useTranslation(["admin", "common"]);
  const [kept, setKept] = useState(old);
  const [draft, setDraft] = useState({
    name: old?.name ?? "",
    text: old?.text ?? "",
    language: old?.language ?? i18n.language.slice(0, 2),
  });
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const [sound, setSound] = useState<Blob | null>(null);
  const [fault, setFault] = useState<WavFault | null>(null);
  const id = old?.prompt_id ?? (typed || slug(draft.name));
  // What was kept a moment ago is in the list of those taken, too.
  const fresh = !old && !kept;
  const idFault = !isSlug(id) ? t("id.bad") : fresh && taken.includes(id) && t("id.taken");
  const missing = !draft.name.trim();
  const speaks = (how: "speak" | "sound" | "words") => how === "speak" && !draft.text.trim();
  const save = useMutation({
    mutationFn: async (how: "speak" | "sound" | "words") => {
      const path = { prompt_id: id };
      let prompt = await told(
        api.PUT("/v1/prompts/{prompt_id}", { params: { path }, body: draft }),
      );
      if (how === "speak")
        prompt = await told(
          api.POST("/v1/prompts/{prompt_id}:synthesise", { params: { path }, body: {} }),
        );
      if (how === "sound" && sound) {
        const answer = await raw(`/v1/prompts/${encodeURIComponent(id)}/audio.wav`, {
          method: "PUT",
          body: sound,
          headers: { "content-type": "audio/wav" },
        });
        prompt = (await answer.json()) as Prompt;
      }
      return prompt;
    },
    onSuccess: (prompt, how) => {
      setKept(prompt);
      if (how !== "words") setSound(null);
      toast(t("common:saved"));
      onKept();
      if (how !== "speak") onClose();
    },
  });
  const send = (how: "speak" | "sound" | "words") => {
    setTried(true);
    if (!missing && !idFault && !speaks(how)) save.mutate(how);
  };
  const choose = async (file: File) => {
    const found = faultOf(await file.arrayBuffer());
    setFault(found);
    if (!found) setSound(file);
  };
  const names = new Intl.DisplayNames(i18n.language, { type: "language" });
  const voices = useVoices();
  const languages = [...new Set([...(voices.data ?? []), draft.language].filter(Boolean))];
  const dirty =
    sound !== null ||
    draft.name !== (kept?.name ?? "") ||
    draft.text !== (kept?.text ?? "") ||
    (kept !== null && draft.language !== kept.language);
  return (
    <SidePanel
      opened
      title={old ? old.name || old.prompt_id : t("prompts.new")}
      onClose={onClose}
      onSave={() => send(sound ? "sound" : "words")}
      saving={save.isPending}
      problem={save.error}
      dirty={dirty}
      size={560}
      aside={
        old && (
          <Button variant="subtle" color="red" onClick={() => onRemove(old)}>
            {t("common:action.remove")}
          </Button>
        )
      }
    >
      <TextInput
        label={t("prompts.name")}
        value={draft.name}
        onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
        error={tried && missing && t("common:signIn.missing")}
        maxLength={200}
        required
        data-autofocus
      />
      <IdField id={id} onChange={setTyped} fresh={fresh} error={tried && !missing && idFault} />
      <Textarea
        label={t("prompts.text")}
        description={t("prompts.textHelp")}
        value={draft.text}
        onChange={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
        maxLength={2000}
        autosize
        minRows={3}
      />
      <Group align="flex-end" gap="sm">
        <Select
          label={t("prompts.language")}
          data={languages.map((value) => ({ value, label: names.of(value) ?? value }))}
          value={draft.language}
          onChange={(language) => language && setDraft({ ...draft, language })}
          allowDeselect={false}
          w={200}
        />
        <Button
          variant="light"
          onClick={() => send("speak")}
          loading={save.isPending}
          disabled={!draft.text.trim()}
        >
          {t("prompts.speak")}
        </Button>
      </Group>
      <Title order={3}>{t("prompts.sound")}</Title>
      {kept?.sha256 ? (
        <Group gap="sm">
          <Listen promptId={kept.prompt_id} sha256={kept.sha256} />
          <Text size="sm" c="dimmed">
            {t(kept.source === "spoken" ? "prompts.is.spoken" : "prompts.is.recorded")} ·{" "}
            {length(ms(kept.duration_ms))}
          </Text>
        </Group>
      ) : (
        <Text size="sm" c="dimmed">
          {t("prompts.noSound")}
        </Text>
      )}
      <Stack gap="sm">
        <Recorder
          onSound={(recorded) => {
            setFault(null);
            setSound(recorded);
          }}
        />
        <Drop
          accept=".wav,audio/wav"
          label={t("prompts.drop")}
          help={t("prompts.dropHelp")}
          onFile={(file) => void choose(file)}
        />
        {fault && (
          <Alert color="red" variant="light" role="alert">
            {t(`prompts.fault.${fault}`)}
          </Alert>
        )}
        {sound && (
          <Stack gap={6}>
            <Text size="sm" fw={560}>
              {t("prompts.newSound")}
            </Text>
            <Sound sound={sound} />
          </Stack>
        )}
      </Stack>
    </SidePanel>
  );
}
