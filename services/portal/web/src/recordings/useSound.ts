/** Playing a recording: fetched when it is first played, then played, stopped and sought. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { store, type Store } from "@/api/store";
import { fetchSound } from "./sound";

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Sound {
  /** Where it is, in ms; followed with `useStore` by what moves with it. */
  at: Store<number>;
  playing: boolean;
  /** It is being fetched: 0 to 1; null: it is not. */
  loading: number | null;
  problem: unknown;
  speed: Speed;
  toggle: () => void;
  seek: (toMs: number) => void;
  /** So many ms onwards, or back. */
  by: (stepMs: number) => void;
  setSpeed: (speed: Speed) => void;
  /** The next faster or slower one. */
  faster: (steps: 1 | -1) => void;
  retry: () => void;
}

/** `version` changes when a recording that goes on has grown: then it is fetched anew. */
export function useSound(recordingId: string, durationMs: number, version: string): Sound {
  const [audio] = useState(() => new Audio());
  const [at] = useState(() => store(0));
  const [wanted, setWanted] = useState(false);
  const [progress, setProgress] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeedState] = useState<Speed>(1);
  /** It was to play before it was there. */
  const eager = useRef(false);
  const sound = useQuery({
    queryKey: ["sound", recordingId, version],
    queryFn: ({ signal }) => fetchSound(recordingId, setProgress, signal),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 300_000,
  });

  useEffect(() => {
    if (!sound.data) return;
    const address = URL.createObjectURL(sound.data);
    audio.src = address;
    audio.currentTime = at.get() / 1000;
    if (eager.current) audio.play().catch(() => setPlaying(false));
    eager.current = false;
    return () => {
      audio.pause();
      audio.removeAttribute("src");
      URL.revokeObjectURL(address);
    };
  }, [audio, at, sound.data]);

  useEffect(() => {
    let frame = 0;
    const follow = () => {
      at.set(audio.currentTime * 1000);
      frame = requestAnimationFrame(follow);
    };
    const on = () => {
      setPlaying(true);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(follow);
    };
    const off = () => {
      setPlaying(false);
      cancelAnimationFrame(frame);
    };
    audio.addEventListener("play", on);
    audio.addEventListener("pause", off);
    return () => {
      off();
      audio.removeEventListener("play", on);
      audio.removeEventListener("pause", off);
    };
  }, [audio, at]);

  useEffect(() => {
    audio.playbackRate = speed;
    // A new source begins at the usual speed unless this says otherwise.
    audio.defaultPlaybackRate = speed;
  }, [audio, speed]);

  const ready = sound.data !== undefined;
  const toggle = useCallback(() => {
    if (!ready) {
      eager.current = !eager.current || !wanted;
      setWanted(true);
    } else if (audio.paused) {
      audio.play().catch(() => setPlaying(false));
    } else audio.pause();
  }, [audio, ready, wanted]);
  const seek = useCallback(
    (toMs: number) => {
      const to = Math.min(Math.max(0, toMs), durationMs);
      at.set(to);
      if (ready) audio.currentTime = to / 1000;
    },
    [at, audio, durationMs, ready],
  );
  const by = useCallback((stepMs: number) => seek(at.get() + stepMs), [at, seek]);
  const faster = useCallback((steps: 1 | -1) => {
    setSpeedState((now) => SPEEDS[SPEEDS.indexOf(now) + steps] ?? now);
  }, []);
  const retry = useCallback(() => {
    eager.current = true;
    void sound.refetch();
  }, [sound]);

  return {
    at,
    playing,
    loading: wanted && sound.isFetching ? progress : null,
    problem: sound.error,
    speed,
    toggle,
    seek,
    by,
    setSpeed: setSpeedState,
    faster,
    retry,
  };
}
