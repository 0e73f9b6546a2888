/** What the caller, the queue or an agent does next. */
import { Button, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconArrowBackUp, IconPhoneOff, IconRefresh, IconUser } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { FlowNode } from "./model";
import type { Input } from "./Simulate";
import type { Step } from "./story";
import { useWords } from "./useWords";
import classes from "./Tabs.module.css";

interface Props {
  /** digits, queue, agent, dial; empty: the call is over. */
  waitsFor: string;
  steps: readonly Step[];
  /** Where the call stands. */
  node: FlowNode | undefined;
  any: boolean;
  busy: boolean;
  onInput: (input: Input) => void;
  onBack: () => void;
  onAgain: () => void;
  onSetup: () => void;
  variables: Record<string, string>;
}

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const EXITS = ["timeout", "closed", "refused_full", "refused_no_agents"];
const OUTCOMES = ["answer", "busy", "no_answer", "unreachable"] as const;

export function SimulateInputs(props: Props) {
  const { t } = useTranslation(["flows", "common"]);
  const { exitWords } = useWords();
  const { waitsFor, steps, node, busy, onInput, variables } = props;
  const most = Number(steps.findLast((step) => step.kind === "ask")?.values.max_digits ?? 1);
  const leaveKey = typeof node?.fields.leave_key === "string" ? node.fields.leave_key : "";
  const hangUp = (
    <Button
      variant="light"
      color="red"
      disabled={busy}
      leftSection={<IconPhoneOff size={16} aria-hidden />}
      onClick={() => onInput({ hang_up: true })}
    >
      {t("sim.hangUp")}
    </Button>
  );
  return (
    <Stack gap="sm">
      {waitsFor === "digits" && (
        <>
          {most > 1 ? (
            <Digits most={most} busy={busy} onInput={onInput} />
          ) : (
            <div className={classes.pad} role="group" aria-label={t("sim.keys")}>
              {KEYS.map((key) => (
                <Button
                  key={key}
                  variant="default"
                  disabled={busy}
                  aria-label={t("sim.key", { key })}
                  onClick={() => onInput({ digits: key })}
                >
                  {key}
                </Button>
              ))}
            </div>
          )}
          <Group gap="xs">
            <Button variant="default" disabled={busy} onClick={() => onInput({ silence: true })}>
              {t("sim.silence")}
            </Button>
            {hangUp}
          </Group>
        </>
      )}
      {waitsFor === "queue" && (
        <>
          <Group gap="xs">
            <Button
              disabled={busy}
              leftSection={<IconUser size={16} aria-hidden />}
              onClick={() => onInput({ agent_answers: true })}
            >
              {t("sim.agentAnswers")}
            </Button>
            {leaveKey && (
              <Button
                variant="default"
                disabled={busy}
                onClick={() => onInput({ digits: leaveKey })}
              >
                {t("sim.leave", { key: leaveKey })}
              </Button>
            )}
            {hangUp}
          </Group>
          <Text size="xs" c="dimmed">
            {t("sim.otherwise")}
          </Text>
          <Group gap={6}>
            {EXITS.map((exit) => (
              <Button
                key={exit}
                size="compact-sm"
                variant="default"
                disabled={busy}
                onClick={() => onInput({ queue_exit: exit })}
              >
                {exitWords(exit)}
              </Button>
            ))}
          </Group>
        </>
      )}
      {waitsFor === "agent" && (
        <Group gap="xs">
          <Button
            variant="default"
            disabled={busy}
            onClick={() => onInput({ agent_hangs_up: true })}
          >
            {t("sim.agentEnds")}
          </Button>
          <Button
            variant="light"
            color="red"
            disabled={busy}
            onClick={() => onInput({ hang_up: true })}
          >
            {t("sim.callerEnds")}
          </Button>
        </Group>
      )}
      {waitsFor === "dial" && (
        <Group gap="xs">
          {OUTCOMES.map((dial) => (
            <Button key={dial} variant="default" disabled={busy} onClick={() => onInput({ dial })}>
              {t(`sim.dial.${dial}`)}
            </Button>
          ))}
          {hangUp}
        </Group>
      )}
      <Group gap="xs" mt={4}>
        {props.any && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
            onClick={props.onBack}
          >
            {t("sim.back")}
          </Button>
        )}
        {props.any && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={props.onAgain}
          >
            {t("sim.again")}
          </Button>
        )}
        <Button size="compact-sm" variant="subtle" onClick={props.onSetup}>
          {t("sim.other")}
        </Button>
      </Group>
      {Object.keys(variables).length > 0 && (
        <div>
          <Text size="xs" c="dimmed" fw={560}>
            {t("sim.variables")}
          </Text>
          {Object.entries(variables).map(([name, value]) => (
            <Code key={name} mr={6}>
              {name} = {value}
            </Code>
          ))}
        </div>
      )}
    </Stack>
  );
}

interface DigitsProps {
  most: number;
  busy: boolean;
  onInput: (input: Input) => void;
}

function Digits({ most, busy, onInput }: DigitsProps) {
  const { t } = useTranslation("flows");
  const [digits, setDigits] = useState("");
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!digits) return;
    onInput({ digits });
    setDigits("");
  };
  return (
    <form onSubmit={send}>
      <Group gap="xs" align="flex-end">
        <TextInput
          label={t("sim.digits")}
          value={digits}
          onChange={(event) => setDigits(event.currentTarget.value.replace(/[^0-9*#]/g, ""))}
          maxLength={most + 1}
          inputMode="tel"
          autoComplete="off"
          flex={1}
        />
        <Button type="submit" variant="default" disabled={busy || !digits}>
          {t("sim.send")}
        </Button>
      </Group>
    </form>
  );
}
