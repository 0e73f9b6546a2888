/** One audio connection between this browser and the gateway. */
import { chosen, micFault, microphone, stop, type MicFault } from "./devices";
import { iceConfiguration } from "./ice";

/** Candidates that come later than this are not worth waiting for. */
const GATHER_MS = 1_000;
/** A microphone that takes longer joins later. */
const MICROPHONE_MS = 1_500;
/** Connections recover from shorter losses by themselves. */
const DISCONNECTED_MS = 2_500;

const FORM: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };

export interface LineEvents {
  /** Audio flows. */
  on: () => void;
  /** It does not, or no longer; the line is of no use any more. */
  lost: () => void;
  /** The other side's voice. */
  voice: (stream: MediaStream) => void;
  /** The microphone can not be had; null: it is there. */
  microphone: (fault: MicFault | null) => void;
}

export interface Line {
  /** Whether what the microphone hears is sent. */
  mute(muted: boolean): void;
  /** Takes the microphone that is chosen now. */
  takeMicrophone(): Promise<void>;
  stats(): Promise<RTCStatsReport>;
  close(): void;
}

/** A connection that only lacks whom it is for. */
interface Prepared {
  connection: RTCPeerConnection;
  sender: RTCRtpSender;
  microphone: Promise<MediaStream>;
  offer: Promise<string>;
}

const IN_CALL = "carillon.in-call";
/** A line that nobody took by then is closed: the microphone's light must not stay on. */
const PREPARED_MS = 4_000;
let prepared: Prepared | null = null;

/** Says whether this tab is in a call, for the case that it is reloaded. */
export function inCall(now: boolean): void {
  if (now) sessionStorage.setItem(IN_CALL, "1");
  else sessionStorage.removeItem(IN_CALL);
}

/** Begins a line in a tab that was reloaded in mid-call before the desk is known. */
export function prepareLine(): void {
  if (!sessionStorage.getItem(IN_CALL) || prepared) return;
  const mine = prepare();
  prepared = mine;
  setTimeout(() => {
    if (prepared !== mine) return;
    prepared = null;
    mine.connection.close();
    mine.microphone.then(stop, () => undefined);
  }, PREPARED_MS);
}

/** A connection as the gateway takes it. */
export function newConnection(): RTCPeerConnection {
  return new RTCPeerConnection(FORM);
}

function prepare(): Prepared {
  const connection = newConnection();
  const { sender } = connection.addTransceiver("audio", { direction: "sendrecv" });
  const heard = microphone();
  void iceConfiguration();
  // With a microphone allowed, the browser also tells the addresses that it is reached at.
  const settled = heard.then(
    () => undefined,
    () => undefined,
  );
  const offer = Promise.race([settled, later(MICROPHONE_MS)]).then(() => offerOf(connection));
  offer.catch(() => undefined);
  return { connection, sender, microphone: heard, offer };
}

/** Opens a connection; `exchange` gives our offer to the gateway and brings its answer. */
export function openLine(
  exchange: (offer: string) => Promise<string>,
  events: LineEvents,
  muted: boolean,
): Line {
  const ready = prepared ?? prepare();
  prepared = null;
  const { connection, sender } = ready;
  let heard: MediaStream | null = null;
  let closed = false;
  let quiet = muted;
  let patience: ReturnType<typeof setTimeout> | undefined;

  const lost = () => {
    if (closed) return;
    close();
    events.lost();
  };
  const close = () => {
    closed = true;
    clearTimeout(patience);
    connection.close();
    stop(heard);
  };
  const takeMicrophone = async (opened: Promise<MediaStream>) => {
    try {
      const next = await opened;
      const [track] = next.getAudioTracks();
      if (closed || !track) return stop(next);
      track.enabled = !quiet;
      track.onended = () => events.microphone("missing");
      await sender.replaceTrack(track);
      stop(heard);
      heard = next;
      events.microphone(null);
    } catch (thrown) {
      if (!closed) events.microphone(micFault(thrown));
    }
  };
  connection.ontrack = (event) => events.voice(new MediaStream([event.track]));
  connection.onconnectionstatechange = () => {
    clearTimeout(patience);
    const { connectionState: state } = connection;
    if (state === "connected") events.on();
    if (state === "failed" || state === "closed") lost();
    if (state === "disconnected") patience = setTimeout(lost, DISCONNECTED_MS);
  };
  const begin = async () => {
    void takeMicrophone(ready.microphone);
    const offer = await ready.offer;
    if (closed) return;
    const sdp = await exchange(offer);
    if (closed) return;
    await connection.setRemoteDescription({ type: "answer", sdp });
  };
  begin().catch(lost);
  return {
    mute(next) {
      quiet = next;
      for (const track of heard?.getAudioTracks() ?? []) track.enabled = !next;
    },
    takeMicrophone: () => takeMicrophone(microphone()),
    stats: () => connection.getStats(),
    close,
  };
}

/** An offer that holds the addresses, because there is no way to tell them later. */
export async function offerOf(connection: RTCPeerConnection): Promise<string> {
  connection.setConfiguration({ ...FORM, ...(await iceConfiguration()) });
  await connection.setLocalDescription();
  if (connection.iceGatheringState !== "complete")
    await Promise.race([
      new Promise<void>((resolve) => {
        connection.addEventListener("icegatheringstatechange", () => {
          if (connection.iceGatheringState === "complete") resolve();
        });
      }),
      later(GATHER_MS),
    ]);
  return connection.localDescription?.sdp ?? "";
}

function later(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

/** Calls back when another microphone is chosen. */
export function onMicrophoneChosen(changed: () => void): () => void {
  let { input } = chosen.get();
  return chosen.subscribe(() => {
    if (chosen.get().input === input) return;
    input = chosen.get().input;
    changed();
  });
}
