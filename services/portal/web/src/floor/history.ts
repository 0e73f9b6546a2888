/** How many waited in each queue over the last quarter of an hour, kept from the feed. */

/** What a line shows. */
export const SPAN_MS = 900_000;
/** How often it is looked at. */
export const EVERY_MS = 2_000;
/** Points of a line; each stands for the worst of its part. */
export const POINTS = 60;

const PART_MS = SPAN_MS / POINTS;

/** The worst of each part by the part's number since 1970; parts that nobody saw are missing. */
export type Seen = ReadonlyMap<number, number>;

/** Adds what is seen now, and forgets what is older than the span; what tells nothing new stays as it is. */
export function look(before: Seen, count: number, now: number): Seen {
  const part = Math.floor(now / PART_MS);
  if (count <= (before.get(part) ?? -1)) return before;
  const after = new Map<number, number>();
  for (const [each, worst] of before) if (each > part - POINTS) after.set(each, worst);
  after.set(part, Math.max(after.get(part) ?? 0, count));
  return after;
}

/** The line's points from the oldest part to the present one; null: nobody looked then. */
export function points(seen: Seen, now: number): (number | null)[] {
  const part = Math.floor(now / PART_MS);
  return Array.from({ length: POINTS }, (_, place) => seen.get(part - POINTS + 1 + place) ?? null);
}

/** The stretches of a line without a hole, each with the place of its first point. */
export function stretches(line: (number | null)[]): { from: number; values: number[] }[] {
  const found: { from: number; values: number[] }[] = [];
  line.forEach((value, place) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last && last.from + last.values.length === place) last.values.push(value);
    else found.push({ from: place, values: [value] });
  });
  return found;
}
