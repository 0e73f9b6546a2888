/** Sounds that the page makes itself: the ring, and the chime of the speaker's test. */
import { chosen } from "./devices";

const RATE = 24_000;
/** Two tones of a small bell, twice, then rest: one turn of the ring (Hz, start s, length s). */
const RING: readonly (readonly [number, number, number])[] = [
  [659.3, 0, 0.5],
  [523.3, 0.28, 0.7],
  [659.3, 1.1, 0.5],
  [523.3, 1.38, 0.7],
];
const RING_S = 3.4;
const CHIME: readonly (readonly [number, number, number])[] = [
  [523.3, 0, 0.6],
  [659.3, 0.22, 0.6],
  [784, 0.44, 1],
];
const CHIME_S = 1.6;

let context: AudioContext | null = null;

/** The one audio context; browsers keep it silent until the person has clicked once. */
export function audioContext(): AudioContext {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume().catch(() => undefined);
  const sink = context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
  void sink.setSinkId?.(chosen.get().output).catch(() => undefined);
  return context;
}

/** Strikes written out as sound, each fading away like a bell. */
export function struck(
  strikes: readonly (readonly [number, number, number])[],
  lengthS: number,
): Float32Array<ArrayBuffer> {
  const sound = new Float32Array(Math.round(lengthS * RATE));
  for (const [hertz, startS, endS] of strikes) {
    const first = Math.round(startS * RATE);
    const count = Math.min(Math.round(endS * RATE), sound.length - first);
    for (let place = 0; place < count; place += 1) {
      const at = place / RATE;
      const fade = Math.min(1, at / 0.006) * Math.exp(-5 * at) * (1 - place / count);
      const wave = Math.sin(2 * Math.PI * hertz * at) + 0.3 * Math.sin(4 * Math.PI * hertz * at);
      sound[first + place] = (sound[first + place] ?? 0) + 0.28 * fade * wave;
    }
  }
  return sound;
}

function play(sound: Float32Array<ArrayBuffer>, loop: boolean): AudioBufferSourceNode {
  const audio = audioContext();
  const buffer = audio.createBuffer(1, sound.length, RATE);
  buffer.copyToChannel(sound, 0);
  const source = audio.createBufferSource();
  source.buffer = buffer;
  source.loop = loop;
  source.connect(audio.destination);
  source.start();
  return source;
}

let ringing: AudioBufferSourceNode | null = null;

/** Rings, or stops ringing. */
export function ring(on: boolean): void {
  if (on === (ringing !== null)) return;
  ringing?.stop();
  ringing = on ? play(struck(RING, RING_S), true) : null;
}

/** Plays the chime once; resolves when it is over, or should be: without a loudspeaker it never ends. */
export function chime(): Promise<void> {
  return new Promise((resolve) => {
    play(struck(CHIME, CHIME_S), false).onended = () => resolve();
    setTimeout(resolve, (CHIME_S + 1) * 1000);
  });
}
