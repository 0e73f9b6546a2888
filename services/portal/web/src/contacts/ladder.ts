/** Where everything stands in a ladder of SIP messages: the gateway, a lane for each leg, arrows. */
import type { Schema } from "@/api/types";
import { ms } from "@/api/types";

export type LadderStep = Schema<"analytics.v1.StoryLadderStep">;

export interface Lane {
  /** Of the leg; empty: the gateway. */
  legId: string;
  role: string;
  peer: string;
  x: number;
}

export interface Arrow {
  y: number;
  fromX: number;
  toX: number;
  atMs: number;
  /** `INVITE`, `200 OK`. */
  line: string;
  times: number;
  /** A final answer of 300 or more, or none: it is drawn as a failure. */
  failed: boolean;
  step: LadderStep;
}

export interface Ladder {
  width: number;
  height: number;
  lanes: Lane[];
  arrows: Arrow[];
}

export const HEAD = 56;
const ROW = 34;
const TAIL = 18;
/** At the left, for the time. */
const GUTTER = 92;
const LANE_GAP = 230;

/** Callers stand at the left of the gateway, everybody else at its right. */
export function layout(steps: readonly LadderStep[]): Ladder {
  const legs: { legId: string; role: string; peer: string }[] = [];
  for (const step of steps)
    if (!legs.some((leg) => leg.legId === step.leg_id))
      legs.push({ legId: step.leg_id, role: step.role, peer: step.peer });
  const callers = legs.filter((leg) => leg.role === "caller");
  const others = legs.filter((leg) => leg.role !== "caller");
  const order = [...callers, { legId: "", role: "gateway", peer: "" }, ...others];
  const lanes = order.map((leg, place) => ({
    ...leg,
    x: GUTTER + LANE_GAP / 2 + place * LANE_GAP,
  }));
  const xOf = (legId: string) => lanes.find((lane) => lane.legId === legId)?.x ?? 0;
  const middle = xOf("");
  const arrows = steps.map((step, place) => {
    const x = xOf(step.leg_id);
    return {
      y: HEAD + ROW * (place + 0.8),
      fromX: step.sent ? middle : x,
      toX: step.sent ? x : middle,
      atMs: ms(step.at_ms),
      line: step.line,
      times: step.times,
      failed: /^[3-6]\d\d /.test(step.line),
      step,
    };
  });
  return {
    width: GUTTER + LANE_GAP * Math.max(2, lanes.length),
    height: HEAD + ROW * steps.length + TAIL,
    lanes,
    arrows,
  };
}
