/** An imagined call through the flow: what is said, what the caller does, and the way in the drawing. */
import { Alert, Button, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconPhoneCall } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import { useNumbers } from "@/admin/common/data";
import { zone } from "@/i18n/format";
import { Empty, ErrorNote, Rows } from "@/ui/notes";
import { Drawing } from "./Drawing";
import { Faults } from "./Faults";
import type { Flow } from "./model";
import { SimulateInputs } from "./SimulateInputs";
import { SimulateStory } from "./SimulateStory";
import { instantOf, wayOf } from "./story";
import classes from "./Tabs.module.css";

export type Input = Schema<"ivr.v1.SimulatedInputInput">;

interface Props {
  id: string;
  text: string;
  flow: Flow | null;
  /** True: the text has faults. */
  blocked: boolean;
}

interface Call {
  caller: string;
  called: string;
  at_ms: number;
}

const CALLER = "+12025550199";
const NOBODY: ReadonlySet<string> = new Set();

export function Simulate({ id, text, flow, blocked }: Props) {
  const { t } = useTranslation(["flows", "common"]);
  const numbers = useNumbers();
  const first = (numbers.data ?? []).find((one) => one.flow_id === id) ?? numbers.data?.[0];
  const [caller, setCaller] = useState(CALLER);
  const [typed, setTyped] = useState<string | null>(null);
  const [local, setLocal] = useState("");
  const [call, setCall] = useState<Call | null>(null);
  const [inputs, setInputs] = useState<Input[]>([]);
  const called = typed ?? first?.number ?? "+12025550100";
  const walked = useQuery({
    queryKey: ["flow-simulate", text, call, inputs],
    queryFn: () =>
      told(
        api.POST("/v1/flows:simulate", {
          body: {
            definition_json: text,
            caller: call?.caller ?? "",
            called: call?.called ?? "",
            at_ms: call?.at_ms ?? 0,
            inputs,
          },
        }),
      ),
    enabled: call !== null && !blocked,
    staleTime: Infinity,
    gcTime: 60_000,
    placeholderData: (before) => before,
  });
  const way = useMemo(() => wayOf(walked.data?.steps ?? []), [walked.data]);
  const begin = (event: FormEvent) => {
    event.preventDefault();
    setInputs([]);
    setCall({ caller: caller.trim(), called: called.trim(), at_ms: instantOf(local, zone()) });
  };
  const node = flow?.nodes.find((one) => one.id === way.last);
  return (
    <div className={`${classes.split} ${classes.talk}`}>
      <Paper className="panel" p="md">
        <Stack gap="md">
          {call === null ? (
            <form onSubmit={begin}>
              <Stack gap="md">
                <Text size="sm" c="dimmed">
                  {t("sim.lead")}
                </Text>
                <TextInput
                  label={t("sim.caller")}
                  value={caller}
                  onChange={(event) => setCaller(event.currentTarget.value)}
                  inputMode="tel"
                />
                <TextInput
                  label={t("sim.called")}
                  value={called}
                  onChange={(event) => setTyped(event.currentTarget.value)}
                  inputMode="tel"
                />
                <TextInput
                  label={t("sim.at")}
                  description={t("sim.atHelp")}
                  type="datetime-local"
                  value={local}
                  onChange={(event) => setLocal(event.currentTarget.value)}
                />
                {blocked && (
                  <Alert color="orange" variant="light">
                    {t("sim.faulty")}
                  </Alert>
                )}
                <Group>
                  <Button
                    type="submit"
                    disabled={blocked}
                    leftSection={<IconPhoneCall size={16} aria-hidden />}
                  >
                    {t("sim.begin")}
                  </Button>
                </Group>
              </Stack>
            </form>
          ) : walked.error ? (
            <ErrorNote problem={walked.error} onRetry={() => void walked.refetch()} />
          ) : walked.data ? (
            walked.data.problems.length > 0 ? (
              <Faults faults={walked.data.problems} />
            ) : (
              <SimulateStory steps={walked.data.steps} />
            )
          ) : (
            <Rows rows={4} />
          )}
          {call !== null && (
            <SimulateInputs
              waitsFor={walked.data?.waits_for ?? ""}
              steps={walked.data?.steps ?? []}
              node={node}
              any={inputs.length > 0}
              busy={walked.isFetching}
              onInput={(input) => setInputs([...inputs, input])}
              onBack={() => setInputs(inputs.slice(0, -1))}
              onAgain={() => setInputs([])}
              onSetup={() => {
                setCall(null);
                setInputs([]);
              }}
              variables={walked.data?.variables ?? {}}
            />
          )}
        </Stack>
      </Paper>
      <Paper className={`panel ${classes.tall}`}>
        {flow && flow.nodes.length > 0 ? (
          <Drawing flow={flow} faulty={NOBODY} way={way} />
        ) : (
          <Empty title={t("noDrawing")}>{t("noDrawingHelp")}</Empty>
        )}
      </Paper>
    </div>
  );
}
