/** What the contact was about: the choices, the one that was made, and telling it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, told } from "@/api/client";
import type { DeskWork } from "@/api/types";
import { toastProblem } from "@/ui/toast";
import { setDisposition } from "../phone/commands";
import { wrapUpOf } from "../work";
import { idOf } from "../words";

export interface Choice {
  code: string;
  label: string;
}

export interface DispositionState {
  /** Undefined: not known yet; empty: any text. */
  choices: Choice[] | undefined;
  code: string;
  choose: (code: string) => void;
  saving: boolean;
  /** Chosen here, and to be told when wrap-up is finished. */
  kept: boolean;
}

/** A choice that ends wrap-up is told by itself this long before time runs out. */
const BEFORE_END_MS = 1_500;

export function useDisposition(work: DeskWork): DispositionState {
  const row = work.reservation;
  const id = idOf(work);
  const queue_id = row?.queue_id ?? "";
  const { data, isError } = useQuery({
    queryKey: ["dispositions", queue_id],
    queryFn: () => told(api.GET("/v1/dispositions", { params: { query: { queue_id } } })),
    staleTime: 60_000,
  });
  const [mine, setMine] = useState<string | null>(null);
  const tell = useMutation({
    mutationFn: (code: string) => setDisposition(id, code),
    onError: (thrown) => {
      setMine(null);
      toastProblem(thrown);
    },
  });
  const wrap = wrapUpOf(row);
  const given = row?.code ?? "";
  const code = mine ?? given;
  // Telling it would end wrap-up at once, with the note half written: "Finish" tells it instead.
  const waits = wrap?.codeEnds === true;
  const kept = waits && code !== "" && code !== given;
  const choose = (next: string) => {
    setMine(next);
    if (!waits && next) tell.mutate(next);
  };
  const endsAtMs = wrap?.endsAtMs ?? 0;
  const { mutate } = tell;
  useEffect(() => {
    if (!kept || endsAtMs === 0) return;
    const timer = setTimeout(
      () => mutate(code),
      Math.max(0, endsAtMs - Date.now() - BEFORE_END_MS),
    );
    return () => clearTimeout(timer);
  }, [kept, endsAtMs, code, mutate]);
  const listed = data?.dispositions ?? (isError ? [] : undefined);
  const choices =
    work.dispositions.length > 0
      ? work.dispositions.map((each) => ({
          code: each,
          label: listed?.find((known) => known.code === each)?.label || each,
        }))
      : listed?.map((each) => ({ code: each.code, label: each.label || each.code }));
  return { choices, code, choose, saving: tell.isPending, kept };
}
