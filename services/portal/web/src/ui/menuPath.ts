/** The way that a caller took through a menu, as people read it. */

/** Answers that the flow gives a word instead of the keys. */
export const ANSWERS = ["silence", "wrong", "gather", "agreed", "refused"] as const;
export type Answer = (typeof ANSWERS)[number];

/** `main-menu` of a flow as `Main menu`. */
export function nodeName(id: string): string {
  const words = id.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `menu: 1 > order: gather` as `Menu: 1 › Order: number keyed`; other texts as they are. */
export function menuPath(path: string, say: (answer: Answer) => string): string {
  const parts = path.split(" > ").map((part) => {
    const found = /^([\w-]+): (.+)$/.exec(part);
    if (!found?.[1] || !found[2]) return part;
    const answer = ANSWERS.find((each) => each === found[2]);
    return `${nodeName(found[1])}: ${answer ? say(answer) : found[2]}`;
  });
  return parts.join(" › ");
}
