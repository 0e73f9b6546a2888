/** What changed between two texts, line by line. */

export interface Line {
  /** The same, only in the old one, only in the new one, or so many lines left out. */
  kind: "same" | "old" | "new" | "fold";
  text: string;
  /** Line numbers from 1; 0: not in that text. */
  before: number;
  after: number;
}

/** Larger changes are shown as all removed, then all added. */
const MOST_CELLS = 4_000_000;

/** All lines of both, with the fewest changes. */
export function diff(before: string, after: string): Line[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < fresh.length - head &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  )
    tail += 1;
  const [rows, columns] = [old.length - head - tail, fresh.length - head - tail];
  const wide = columns + 1;
  const small = rows * columns <= MOST_CELLS;
  // How many lines are the same from here to the end.
  const same = new Uint16Array(small ? (rows + 1) * wide : 0);
  for (let row = rows - 1; small && row >= 0; row -= 1)
    for (let column = columns - 1; column >= 0; column -= 1)
      same[row * wide + column] =
        old[head + row] === fresh[head + column]
          ? (same[(row + 1) * wide + column + 1] ?? 0) + 1
          : Math.max(same[(row + 1) * wide + column] ?? 0, same[row * wide + column + 1] ?? 0);
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  const both = (at: number, to: number) =>
    lines.push({ kind: "same", text: old[at] ?? "", before: at + 1, after: to + 1 });
  for (let at = 0; at < head; at += 1) both(at, at);
  while (row < rows || column < columns) {
    const [mine, yours] = [old[head + row] ?? "", fresh[head + column] ?? ""];
    if (row < rows && column < columns && small && mine === yours) {
      both(head + row, head + column);
      row += 1;
      column += 1;
    } else if (
      row < rows &&
      (column >= columns ||
        !small ||
        (same[(row + 1) * wide + column] ?? 0) >= (same[row * wide + column + 1] ?? 0))
    ) {
      lines.push({ kind: "old", text: mine, before: head + row + 1, after: 0 });
      row += 1;
    } else {
      lines.push({ kind: "new", text: yours, before: 0, after: head + column + 1 });
      column += 1;
    }
  }
  for (let at = 0; at < tail; at += 1) both(old.length - tail + at, fresh.length - tail + at);
  return lines;
}

/** The changes with some lines around them; the rest is folded, its number of lines is the text. */
export function folded(lines: readonly Line[], around = 3): Line[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some((line) => line.kind !== "same"),
  );
  const shown: Line[] = [];
  lines.forEach((line, at) => {
    const last = shown.at(-1);
    if (near[at]) shown.push(line);
    else if (last?.kind === "fold") last.text = String(Number(last.text) + 1);
    else shown.push({ ...line, kind: "fold", text: "1" });
  });
  return shown;
}
