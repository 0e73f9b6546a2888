/**
 * Where the boxes of a drawing stand: layers from the top down, after Sugiyama. Edges that would go
 * up are drawn at the right; edges over several layers have a place of their own in each.
 */

export interface Box {
  id: string;
  width: number;
  height: number;
  /** Where edges leave, from the box's left edge, and to which box. */
  ports: { to: string; x: number }[];
}

export interface Placed {
  id: string;
  x: number;
  y: number;
}

export interface Drawn {
  from: string;
  to: string;
  /** Which of the box's ports. */
  port: number;
  /** The line, as SVG's `d`. */
  path: string;
}

export interface Layout {
  boxes: Map<string, Placed>;
  edges: Drawn[];
  width: number;
  height: number;
}

const GAP_X = 36;
const GAP_Y = 56;
const LANE = 18;
const SWEEPS = 12;

interface Slot {
  id: string;
  width: number;
  /** null: an edge passes. */
  box: Box | null;
  /** Above it and below it. */
  up: { slot: Slot; at: number }[];
  down: { slot: Slot; at: number }[];
  middle: number;
}

/** Layers by the longest way from the start; `back` are the edges that go up or to themselves. */
export function layersOf(
  boxes: Box[],
  start: string,
): { layer: Map<string, number>; back: Set<string> } {
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const back = new Set<string>();
  const done: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (id: string) => {
    state.set(id, "open");
    for (const { to } of byId.get(id)?.ports ?? []) {
      if (!byId.has(to)) continue;
      if (state.get(to) === "open") back.add(`${id}\n${to}`);
      else if (!state.has(to)) visit(to);
    }
    state.set(id, "done");
    done.push(id);
  };
  for (const id of [start, ...byId.keys()]) if (byId.has(id) && !state.has(id)) visit(id);
  const layer = new Map<string, number>();
  for (const id of done.reverse()) {
    const mine = layer.get(id) ?? 0;
    layer.set(id, mine);
    for (const { to } of byId.get(id)?.ports ?? [])
      if (byId.has(to) && !back.has(`${id}\n${to}`))
        layer.set(to, Math.max(layer.get(to) ?? 0, mine + 1));
  }
  return { layer, back };
}

/** Middles as near to the wanted ones as widths and gaps allow, in the given order. */
export function spread(wanted: number[], widths: number[], gap = GAP_X): number[] {
  // Without what stands at the left of each, the order is all that is asked: pool what violates it.
  const offsets: number[] = [];
  let sum = 0;
  widths.forEach((width, place) => {
    sum += place === 0 ? 0 : (widths[place - 1] ?? 0) / 2 + gap + width / 2;
    offsets.push(sum);
  });
  const pools: { mean: number; size: number }[] = [];
  wanted.forEach((want, place) => {
    let pool = { mean: want - (offsets[place] ?? 0), size: 1 };
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      pools.pop();
      const size = last.size + pool.size;
      pool = { mean: (last.mean * last.size + pool.mean * pool.size) / size, size };
    }
    pools.push(pool);
  });
  const means = pools.flatMap(({ mean, size }) => Array.from({ length: size }, () => mean));
  return means.map((mean, place) => mean + (offsets[place] ?? 0));
}

/** The whole drawing. */
export function layOut(boxes: Box[], start: string): Layout {
  const { layer, back } = layersOf(boxes, start);
  const rows: Slot[][] = [];
  const slots = new Map<string, Slot>();
  const slot = (id: string, width: number, box: Box | null, row: number): Slot => {
    const made: Slot = { id, width, box, up: [], down: [], middle: 0 };
    (rows[row] ??= []).push(made);
    return made;
  };
  for (const box of boxes) slots.set(box.id, slot(box.id, box.width, box, layer.get(box.id) ?? 0));
  const chains: { from: Slot; port: number; x: number; through: Slot[]; to: Slot }[] = [];
  for (const box of boxes)
    box.ports.forEach(({ to, x }, port) => {
      const [from, target] = [slots.get(box.id), slots.get(to)];
      if (!from || !target || back.has(`${box.id}\n${to}`)) return;
      const through: Slot[] = [];
      const last = layer.get(to) ?? 0;
      for (let row = (layer.get(box.id) ?? 0) + 1; row < last; row += 1)
        through.push(slot(`${box.id}\n${to}\n${port}`, 8, null, row));
      [from, ...through].forEach((upper, place) => {
        const lower = through[place] ?? target;
        const at = place === 0 ? x - box.width / 2 : 0;
        upper.down.push({ slot: lower, at: -at });
        lower.up.push({ slot: upper, at });
      });
      chains.push({ from, port, x, through, to: target });
    });
  arrange(rows);
  const heights = rows.map((row) => Math.max(0, ...row.map((each) => each.box?.height ?? 0)));
  const tops = heights.map((_, row) =>
    heights.slice(0, row).reduce((sum, height) => sum + height + GAP_Y, GAP_Y / 2),
  );
  const left = Math.min(0, ...rows.flat().map((each) => each.middle - each.width / 2)) - GAP_X;
  const right = Math.max(0, ...rows.flat().map((each) => each.middle + each.width / 2)) - left;
  const placed = new Map<string, Placed>();
  for (const box of boxes) {
    const middle = (slots.get(box.id)?.middle ?? 0) - left;
    placed.set(box.id, {
      id: box.id,
      x: middle - box.width / 2,
      y: tops[layer.get(box.id) ?? 0] ?? 0,
    });
  }
  const edges: Drawn[] = chains.map(({ from, port, x, through, to }) => {
    const box = placed.get(from.id) as Placed;
    const end = placed.get(to.id) as Placed;
    let here = { x: box.x + x, y: box.y + (from.box?.height ?? 0) };
    const parts = [`M${here.x} ${here.y}`];
    const first = layer.get(from.id) ?? 0;
    through.forEach((each, place) => {
      const top = tops[first + 1 + place] ?? 0;
      const at = { x: each.middle - left, y: top };
      parts.push(curve(here, at), `V${top + (heights[first + 1 + place] ?? 0)}`);
      here = { x: at.x, y: top + (heights[first + 1 + place] ?? 0) };
    });
    parts.push(curve(here, { x: end.x + to.width / 2, y: end.y }));
    return { from: from.id, to: to.id, port, path: parts.join("") };
  });
  let lanes = 0;
  for (const box of boxes)
    box.ports.forEach(({ to, x }, port) => {
      const [from, target] = [placed.get(box.id), placed.get(to)];
      if (!from || !target || !back.has(`${box.id}\n${to}`)) return;
      lanes += 1;
      const lane = right + lanes * LANE;
      const end = { x: target.x + (slots.get(to)?.width ?? 0) / 2, y: target.y };
      const [out, over] = [from.y + box.height, end.y - 20];
      const path =
        `M${from.x + x} ${out}v8q0 8 8 8H${lane - 8}q8 0 8 -8V${over + 8}q0 -8 -8 -8` +
        `H${end.x + 8}q-8 0 -8 8V${end.y}`;
      edges.push({ from: box.id, to, port, path });
    });
  return {
    boxes: placed,
    edges,
    width: right + lanes * LANE + GAP_X,
    height: (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0) + GAP_Y / 2,
  };
}

function curve(from: { x: number; y: number }, to: { x: number; y: number }): string {
  const half = Math.max(20, (to.y - from.y) / 2);
  return `C${from.x} ${from.y + half} ${to.x} ${to.y - half} ${to.x} ${to.y}`;
}

/** Orders each row by what it hangs on, then places it as near to that as there is room. */
function arrange(rows: Slot[][]): void {
  for (const row of rows)
    place(
      row,
      row.map((_, at) => at * 10),
    );
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const pulled = (each: Slot) => {
        const links = down ? each.up : each.down;
        if (links.length === 0) return each.middle;
        return links.reduce((sum, link) => sum + link.slot.middle + link.at, 0) / links.length;
      };
      const wanted = new Map(row.map((each) => [each, pulled(each)]));
      row.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0));
      place(
        row,
        row.map((each) => wanted.get(each) ?? 0),
      );
    }
  }
}

function place(row: Slot[], wanted: number[]): void {
  const middles = spread(
    wanted,
    row.map((each) => each.width),
  );
  row.forEach((each, at) => {
    each.middle = middles[at] ?? 0;
  });
}
