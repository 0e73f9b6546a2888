/** Tries the way to the gateway: what we send comes back, or it does not. */
import { api, told } from "@/api/client";
import { newConnection, offerOf } from "../phone/line";
import { judge, sampleOf, type Sample } from "../phone/quality";

/** What the trial found. */
export interface Found {
  rttMs: number | null;
  lossPercent: number;
}

/** Why it failed beside what the server says: no connection came about, or nothing came back. */
export class ProbeFault extends Error {
  constructor(readonly kind: "no-connection" | "no-echo") {
    super(kind);
  }
}

const MEASURE_MS = 4_000;
const EVERY_MS = 500;
const CONNECT_MS = 6_000;
/** Fewer packets than this in that time are no echo: 50 a second should come. */
const LEAST_PACKETS = 50;

/** Sends a microphone's sound to the gateway and measures what comes back; Problem, ProbeFault. */
export async function probe(stream: MediaStream, end: AbortSignal): Promise<Found> {
  const connection = newConnection();
  const sink = new Audio();
  try {
    const [track] = stream.getAudioTracks();
    connection.addTransceiver(track ?? "audio", { direction: "sendrecv", streams: [stream] });
    connection.ontrack = (event) => {
      // Browsers measure only what is played; hearing oneself would be of no use.
      sink.muted = true;
      sink.srcObject = new MediaStream([event.track]);
      void sink.play().catch(() => undefined);
    };
    const offer = await offerOf(connection);
    const { sdp_answer: sdp } = await told(
      api.POST("/v1/desk:probe", { body: { sdp_offer: offer }, signal: end }),
    );
    await connection.setRemoteDescription({ type: "answer", sdp });
    await connected(connection, end);
    return await measured(connection, end);
  } finally {
    sink.srcObject = null;
    connection.close();
  }
}

function connected(connection: RTCPeerConnection, end: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new ProbeFault("no-connection"));
    const timer = setTimeout(fail, CONNECT_MS);
    const look = () => {
      if (connection.connectionState === "connected") resolve();
      else if (["failed", "closed"].includes(connection.connectionState)) fail();
      else return;
      clearTimeout(timer);
    };
    connection.addEventListener("connectionstatechange", look);
    end.addEventListener("abort", fail);
    look();
  });
}

async function measured(connection: RTCPeerConnection, end: AbortSignal): Promise<Found> {
  const samples: Sample[] = [];
  for (let atMs = 0; atMs <= MEASURE_MS; atMs += EVERY_MS) {
    if (end.aborted) throw new ProbeFault("no-connection");
    const report = (await connection.getStats()) as unknown as Map<
      string,
      RTCStats & Record<string, unknown>
    >;
    samples.push(sampleOf([...report.values()], atMs));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  const came = (samples.at(-1)?.received ?? 0) - (samples[0]?.received ?? 0);
  if (came < LEAST_PACKETS) throw new ProbeFault("no-echo");
  const { rttMs, lossPercent } = judge(samples);
  return { rttMs, lossPercent };
}
