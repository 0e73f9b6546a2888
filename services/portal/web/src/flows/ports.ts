/** The boxes of a drawing: how large, and the chips from which their ways leave. */
import type { Box } from "./layout";
import { excerptOf, waysOf, type FlowNode, type Named, type Way } from "./model";

export interface Chip {
  /** As much of it as there is room for. */
  label: string;
  whole: string;
  to: string;
  x: number;
  width: number;
}

export interface NodeBox extends Box {
  node: FlowNode;
  excerpt: string;
  chips: Chip[];
}

const WIDTH = 232;
const PAD = 12;
const GAP = 6;
const CHIP_ROW = 32;
const MOST = 30;

/** About how wide a short text is, in pixels. */
export function widthOf(text: string): number {
  let width = 0;
  for (const sign of text) width += /[\u2e80-\uffef]/.test(sign) ? 12 : 6.6;
  return Math.ceil(width);
}

const short = (text: string) => (text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text);

/** A node's box; `label` says a way out in words. */
export function boxOf(node: FlowNode, label: (way: Way) => string, named: Named): NodeBox {
  const excerpt = excerptOf(node, named);
  const ways = waysOf(node);
  const height = excerpt ? 88 : 46;
  const only = ways[0];
  if (ways.length === 1 && only?.way === "next")
    return {
      node,
      excerpt,
      id: node.id,
      width: WIDTH,
      height,
      chips: [],
      ports: [{ to: only.to, x: WIDTH / 2 }],
    };
  // Ways to the same node leave together.
  const grouped = new Map<string, string[]>();
  for (const way of ways) grouped.set(way.to, [...(grouped.get(way.to) ?? []), label(way)]);
  let x = PAD;
  const chips = [...grouped].map(([to, labels]) => {
    const whole = [...new Set(labels)].join(" · ");
    const text = short(whole);
    const chip = { label: text, whole, to, x, width: widthOf(text) + 16 };
    x += chip.width + GAP;
    return chip;
  });
  const width = Math.max(WIDTH, x - GAP + PAD);
  return {
    node,
    excerpt,
    id: node.id,
    width,
    height: height + (chips.length > 0 ? CHIP_ROW : 0),
    chips,
    ports: chips.map((chip) => ({ to: chip.to, x: chip.x + chip.width / 2 })),
  };
}
