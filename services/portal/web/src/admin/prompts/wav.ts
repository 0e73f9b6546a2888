/** Sounds as WAV files. */

export const RATE = 16_000;
/** The server takes no longer and no larger ones. */
export const LONGEST_S = 300;
export const LARGEST = 10 * 1024 * 1024;

/** Mono 16-bit PCM with its header. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const bytes = new ArrayBuffer(44 + samples.length * 2);
  const view = new DataView(bytes);
  const text = (at: number, words: string) =>
    [...words].forEach((sign, place) => view.setUint8(at + place, sign.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, place) => {
    const held = Math.max(-1, Math.min(1, sample));
    view.setInt16(44 + place * 2, Math.round(held * 32_767), true);
  });
  return bytes;
}

export type WavFault = "notWav" | "tooLarge" | "tooLong" | "form";

/** What speaks against a file as a prompt; null: nothing. */
export function faultOf(bytes: ArrayBuffer): WavFault | null {
  if (bytes.byteLength > LARGEST) return "tooLarge";
  const view = new DataView(bytes);
  const word = (at: number) =>
    String.fromCharCode(...[0, 1, 2, 3].map((place) => view.getUint8(at + place)));
  if (bytes.byteLength < 44 || word(0) !== "RIFF" || word(8) !== "WAVE") return "notWav";
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const length = view.getUint32(at + 4, true);
    if (word(at) === "fmt " && at + 20 <= bytes.byteLength) {
      const [channels, rate] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true)];
      if (channels < 1 || channels > 2 || rate < 8_000 || rate > 48_000) return "form";
      bytesPerSecond = view.getUint32(at + 16, true);
    }
    if (word(at) === "data")
      return bytesPerSecond > 0 && length / bytesPerSecond > LONGEST_S ? "tooLong" : null;
    at += 8 + length + (length % 2);
  }
  return "notWav";
}

/** What a microphone gave, as a WAV of one channel. */
export async function wavOf(recorded: Blob): Promise<Blob> {
  const coded = await recorded.arrayBuffer();
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(coded);
  const mix = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1)
    sound.getChannelData(channel).forEach((sample, place) => {
      mix[place] = (mix[place] ?? 0) + sample / sound.numberOfChannels;
    });
  return new Blob([wav(mix, sound.sampleRate)], { type: "audio/wav" });
}
