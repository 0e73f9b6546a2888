/** What the browser remembers of the tour: who has closed it, and how far this tab has come. */

const seenBy = (user: string) => `carillon.tour.${user}`;
const progressOf = (user: string) => `carillon.tour.progress.${user}`;

/** A test call that was placed, as the tour shows it. */
export interface Placed {
  call_id: string;
  /** The caller's sentence, or `tone`. */
  speaks: string;
}

/** How far somebody is in a tour that is open in this tab. */
export interface Progress {
  /** The place of the step, from 0. */
  step: number;
  call: Placed | null;
}

/** True: this user has closed it in this browser. */
export function wasSeen(user: string, within: Storage = localStorage): boolean {
  try {
    return within.getItem(seenBy(user)) !== null;
  } catch {
    // Where nothing can be kept it would open each time: then rather never.
    return true;
  }
}

/** How far this tab was before it was reloaded; null: the tour is not open in it. */
export function progress(user: string, within: Storage = sessionStorage): Progress | null {
  try {
    return JSON.parse(within.getItem(progressOf(user)) ?? "null") as Progress | null;
  } catch {
    return null;
  }
}

/** Keeps what changed for the case that this tab is reloaded. */
export function keep(
  user: string,
  changes: Partial<Progress>,
  within: Storage = sessionStorage,
): void {
  const now = progress(user, within) ?? { step: 0, call: null };
  try {
    within.setItem(progressOf(user), JSON.stringify({ ...now, ...changes }));
  } catch {
    // Then a reload begins anew.
  }
}

/** The user has closed the tour. */
export function close(
  user: string,
  within: Storage = sessionStorage,
  forGood: Storage = localStorage,
): void {
  try {
    within.removeItem(progressOf(user));
    forGood.setItem(seenBy(user), new Date().toISOString());
  } catch {
    // See above.
  }
}
