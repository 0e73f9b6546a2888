/** Moving and enlarging a drawing: by wheel, by dragging, by keys. */
import {
  useCallback,
  useEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from "react";

export interface View {
  x: number;
  y: number;
  scale: number;
}

const LEAST = 0.05;
const READABLE = 0.72;
const MOST = 2;
const STEP = 60;

/** `middle`: what is in the middle at first, from the drawing's left edge. */
export function useView(width: number, height: number, middle: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const show = useCallback(
    (least: number) => {
      const box = frame.current?.getBoundingClientRect();
      if (!box || !width) return;
      const whole = Math.min(box.width / width, box.height / height);
      const scale = Math.min(1, Math.max(least, whole));
      const room = box.width - width * scale;
      setView({
        scale,
        x: room >= 0 ? room / 2 : Math.min(0, Math.max(room, box.width / 2 - middle * scale)),
        y: Math.max(0, (box.height - height * scale) / 2),
      });
    },
    [width, height, middle],
  );
  const fit = useCallback(() => show(LEAST), [show]);
  /** As large as can be read, from its beginning. */
  const begin = useCallback(() => show(READABLE), [show]);
  // A drawing of another size is shown from its beginning again.
  useEffect(begin, [begin]);
  const zoom = useCallback((by: number, at?: { x: number; y: number }) => {
    const box = frame.current?.getBoundingClientRect();
    const point = at ?? { x: (box?.width ?? 0) / 2, y: (box?.height ?? 0) / 2 };
    setView((old) => {
      const scale = Math.min(MOST, Math.max(LEAST, old.scale * by));
      const ratio = scale / old.scale;
      return {
        scale,
        x: point.x - (point.x - old.x) * ratio,
        y: point.y - (point.y - old.y) * ratio,
      };
    });
  }, []);
  const move = useCallback(
    (x: number, y: number) => setView((old) => ({ ...old, x: old.x + x, y: old.y + y })),
    [],
  );
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    // React's wheel listeners can not keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey)
        zoom(Math.exp(-event.deltaY / 300), {
          x: event.clientX - box.left,
          y: event.clientY - box.top,
        });
      else move(-event.deltaX, -event.deltaY);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [zoom, move]);
  const onKeyDown = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      ArrowLeft: () => move(STEP, 0),
      ArrowRight: () => move(-STEP, 0),
      ArrowUp: () => move(0, STEP),
      ArrowDown: () => move(0, -STEP),
      "+": () => zoom(1.25),
      "=": () => zoom(1.25),
      "-": () => zoom(0.8),
      "0": fit,
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  const pointers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0) drag.current = { x: event.clientX, y: event.clientY, moved: false };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = drag.current;
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.abs(x) + Math.abs(y) < 5) return;
      if (!from.moved) event.currentTarget.setPointerCapture(event.pointerId);
      drag.current = { x: event.clientX, y: event.clientY, moved: true };
      move(x, y);
    },
    onPointerUp: () => {
      drag.current = null;
    },
    onPointerCancel: () => {
      drag.current = null;
    },
  };
  /** Brings a part of the drawing into sight. */
  const reveal = useCallback((x: number, y: number, wide: number, high: number) => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return;
    setView((old) => {
      const [left, top] = [old.x + x * old.scale, old.y + y * old.scale];
      const into = (from: number, size: number, room: number) =>
        from < 0 ? 16 - from : from + size > room ? room - from - size - 16 : 0;
      const [by, down] = [
        into(left, wide * old.scale, box.width),
        into(top, high * old.scale, box.height),
      ];
      return by || down ? { ...old, x: old.x + by, y: old.y + down } : old;
    });
  }, []);
  return { frame, view, zoom, fit, reveal, onKeyDown, pointers };
}
