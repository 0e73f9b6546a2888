/** Small judgements about contacts that several parts of the desk share. */
import type { DeskWork } from "@/api/types";
import { rings, talks } from "./phone/decide";

function stages(work: DeskWork) {
  const { reservation: row } = work;
  return {
    id: row?.reservation_id ?? "",
    stage: row?.stage ?? "",
    work: row?.work ?? "",
    channel: row?.channel ?? "",
  };
}

export function idOf(work: DeskWork): string {
  return work.reservation?.reservation_id ?? "";
}

/** True: it waits for accept or decline. */
export function isRinging(work: DeskWork): boolean {
  return rings(stages(work));
}

/** True: agent and caller are connected, or about to be. */
export function isTalking(work: DeskWork): boolean {
  return talks(stages(work));
}
