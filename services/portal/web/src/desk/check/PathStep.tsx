/** The way to the server: sound goes there and comes back. */
import { Button, Group } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import { count } from "@/i18n/format";
import { inWords } from "@/ui/words";
import { probe, ProbeFault, type Found } from "./probe";
import { Step } from "./Step";

/** Beyond this the other side of a conversation feels far away. */
const SLOW_MS = 400;
const LOSSY_PERCENT = 5;

interface Props {
  stream: MediaStream | null;
  done: boolean;
  onDone: (done: boolean) => void;
}

export function PathStep({ stream, done, onDone }: Props) {
  const { t } = useTranslation("desk");
  const [attempt, setAttempt] = useState(0);
  const [found, setFound] = useState<Found | null>(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (!stream) return;
    const end = new AbortController();
    setFound(null);
    setFault("");
    probe(stream, end.signal).then(
      (result) => {
        if (end.signal.aborted) return;
        setFound(result);
        onDone(true);
      },
      (thrown: unknown) => {
        if (end.signal.aborted) return;
        onDone(false);
        setFault(whyNot(thrown));
      },
    );
    return () => end.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- anew with a microphone or by hand only
  }, [stream, attempt]);
  const whyNot = (thrown: unknown) => {
    if (thrown instanceof ProbeFault) return t(`check.path.${thrown.kind}`);
    const problem = asProblem(thrown);
    if (problem.status === 501 || problem.status === 503) return t("check.path.away");
    return inWords(problem);
  };
  const poor = found && ((found.rttMs ?? 0) > SLOW_MS || found.lossPercent > LOSSY_PERCENT);
  const words = found
    ? t(poor ? "check.path.poor" : "check.path.good", {
        ms: count(found.rttMs ?? 0),
        loss: count(found.lossPercent, 1),
      })
    : fault || t(stream ? "check.path.trying" : "check.path.first");
  return (
    <Step
      name={t("check.pathName")}
      state={done ? "done" : fault ? "failed" : stream ? "busy" : "waiting"}
      words={words}
    >
      {(fault || poor) && (
        <Group>
          <Button variant="light" onClick={() => setAttempt(attempt + 1)}>
            {t("check.again")}
          </Button>
        </Group>
      )}
    </Step>
  );
}
