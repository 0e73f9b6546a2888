/** Whoever leaves changes that are not saved is asked first: by a link, by back, by closing the tab. */
import i18next from "i18next";
import { useEffect } from "react";
import type { AroundNavHandler } from "wouter";
import { ask } from "./Ask";

/** One for each form with changes that is on the page. */
const held = new Set<symbol>();
/** The address of the page with the changes: back has left it before anybody can be asked. */
let here = "";

const warn = (event: BeforeUnloadEvent) => event.preventDefault();
const note = () => {
  here = location.href;
};
const back = (event: PopStateEvent) => {
  if (held.size === 0 || !leavesPage(location.href, here)) return note();
  event.stopImmediatePropagation();
  // The page stays as it is while the person thinks; back once more is where they wanted to go.
  history.pushState(null, "", here);
  void mayLeave().then((yes) => yes && history.back());
};
// From the start: browsers tell those first who began to listen first, and the router listens, too.
globalThis.window?.addEventListener("popstate", back);

function hold(): () => void {
  const mine = Symbol("changes");
  if (held.size === 0) {
    note();
    window.addEventListener("beforeunload", warn);
    for (const moved of ["pushState", "replaceState"]) window.addEventListener(moved, note);
  }
  held.add(mine);
  return () => {
    if (held.delete(mine) && held.size === 0) release();
  };
}

function release(): void {
  held.clear();
  window.removeEventListener("beforeunload", warn);
  for (const moved of ["pushState", "replaceState"]) window.removeEventListener(moved, note);
}

/** True: the address is another page's, and not this page with other parameters. */
export function leavesPage(to: string, from: string): boolean {
  return new URL(to, from).pathname !== new URL(from).pathname;
}

/** Asks whether the changes may be lost. */
export function askToLose(): Promise<boolean> {
  return ask({ text: i18next.t("confirm.unsaved"), yes: i18next.t("action.leave") });
}

/** Asks when there are changes on the page, and says whether it may be left. */
export async function mayLeave(): Promise<boolean> {
  if (held.size === 0) return true;
  const yes = await askToLose();
  if (yes) release();
  return yes;
}

/** True while there are changes here: leaving the page asks first. */
export function useUnsaved(dirty: boolean): void {
  useEffect(() => (dirty ? hold() : undefined), [dirty]);
}

/** For the router: a link to another page asks first. */
export const aroundNav: AroundNavHandler = (navigate, to, how) => {
  if (held.size === 0 || !leavesPage(to, location.href)) return navigate(to, how);
  void mayLeave().then((yes) => yes && navigate(to, how));
};
