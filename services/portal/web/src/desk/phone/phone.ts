/** The agent's telephone: does what `decide` decides, with the desk's news and one line of audio. */
import { desk } from "@/api/boards";
import { asProblem } from "@/api/problem";
import { link } from "@/api/feed";
import { store, type Store } from "@/api/store";
import type { DeskView } from "@/api/types";
import { commands, exchange } from "./commands";
import {
  decide,
  lineLost,
  lineOn,
  NOTHING,
  notTold,
  wakeAt,
  type Act,
  type Seen,
  type State,
  type Work,
} from "./decide";
import type { MicFault } from "./devices";
import { inCall, onMicrophoneChosen, openLine, type Line } from "./line";
import { judge, sampleOf, WINDOW, type Quality, type Sample } from "./quality";
import { checked, isSoftphone } from "./softphone";
import { ring } from "./tones";
import { hear } from "./voice";

/** What pages show of the telephone. */
export interface Phone {
  /** Whose audio it carries; empty: nobody's. */
  id: string;
  line: State["line"];
  /** What is wrong with the microphone of a call; null: nothing. */
  fault: MicFault | null;
  /** Muted here, before the server has heard of it. */
  muted: boolean;
}

const SAMPLE_MS = 1_000;
const TELL_AGAIN_MS = 700;
const REST: Phone = { id: "", line: "none", fault: null, muted: false };

export const phone: Store<Phone> = store(REST);
/** How good the call is; null: there is none. */
export const quality = store<Quality | null>(null);

let state: State = NOTHING;
let line: Line | null = null;
let wake: ReturnType<typeof setTimeout> | undefined;
let reading: ReturnType<typeof setInterval> | undefined;
let samples: Sample[] = [];
/** What was pressed and the server has not confirmed yet: an older view must not undo it. */
let pressed: { id: string; muted: boolean } | null = null;

/** The contacts of a desk, as far as the phone cares. */
export function worksOf(view: DeskView | null): Work[] {
  return (view?.work ?? []).flatMap(({ reservation: row }) =>
    row ? [{ id: row.reservation_id, stage: row.stage, work: row.work, channel: row.channel }] : [],
  );
}

/** Begins to answer; the answer ends it. */
export function startPhone(): () => void {
  const stops = [
    desk.subscribe(turn),
    link.subscribe(turn),
    checked.subscribe(turn),
    onMicrophoneChosen(() => void line?.takeMicrophone()),
  ];
  turn();
  return () => {
    for (const end of stops) end();
    clearTimeout(wake);
    if (line) end();
    ring(false);
    state = NOTHING;
    phone.set(REST);
  };
}

/** Mutes or unmutes: at once here, and at the gateway. */
export async function mute(id: string, muted: boolean): Promise<void> {
  pressed = { id, muted };
  turn();
  try {
    await (muted ? commands.mute(id) : commands.unmute(id));
  } finally {
    if (pressed.id === id && pressed.muted === muted) pressed = null;
    turn();
  }
}

function turn(): void {
  const seen: Seen = { softphone: isSoftphone(), works: worksOf(desk.get()) };
  const decided = decide(state, seen, Date.now());
  state = decided.state;
  for (const act of decided.acts) does(act);
  ring(decided.acts.some((act) => act.act === "ring"));
  const mine = desk.get()?.work.find((work) => work.reservation?.reservation_id === state.id);
  if (mine && line) {
    const muted = pressed?.id === state.id ? pressed.muted : mine.muted;
    line.mute(muted);
    show({ muted });
  }
  show({ id: state.id, line: state.line });
  later();
}

function does(act: Act): void {
  if (act.act === "close") end();
  if (act.act === "open") open(act.id);
  if (act.act === "tell") void tell(act.id);
}

async function tell(id: string): Promise<void> {
  try {
    await commands.ringing(id);
  } catch (thrown) {
    // It rings elsewhere, or not at all any more: the desk will say so.
    if (!asProblem(thrown).passing) return;
    setTimeout(() => {
      state = notTold(state, id);
      turn();
    }, TELL_AGAIN_MS);
  }
}

function open(id: string): void {
  close();
  const muted = desk
    .get()
    ?.work.some((work) => work.reservation?.reservation_id === id && work.muted);
  line = openLine(
    (offer) => exchange(id, offer),
    {
      on: () => {
        inCall(true);
        state = lineOn(state, id);
        turn();
      },
      lost: () => {
        state = lineLost(state, id, Date.now());
        turn();
      },
      voice: hear,
      microphone: (fault) => show({ fault }),
    },
    muted ?? false,
  );
  samples = [];
  reading = setInterval(() => void read(), SAMPLE_MS);
}

/** The call is over for this page: it was no loss. */
function end(): void {
  inCall(false);
  close();
}

function close(): void {
  clearInterval(reading);
  if (!line) return;
  line.close();
  line = null;
  hear(null);
  quality.set(null);
  show({ fault: null, muted: false });
}

async function read(): Promise<void> {
  const measured = line;
  if (!measured || state.line !== "on") return;
  const report = await measured.stats();
  if (line !== measured) return;
  const stats = [
    ...(report as unknown as Map<string, RTCStats & Record<string, unknown>>).values(),
  ];
  samples = [...samples, sampleOf(stats, Date.now())].slice(-WINDOW);
  quality.set(judge(samples));
}

function later(): void {
  clearTimeout(wake);
  const due = wakeAt(state);
  if (due !== null) wake = setTimeout(turn, Math.max(0, due - Date.now()));
}

function show(changes: Partial<Phone>): void {
  const now = phone.get();
  const next = { ...now, ...changes };
  const same = (Object.keys(next) as (keyof Phone)[]).every((key) => next[key] === now[key]);
  if (!same) phone.set(next);
}
