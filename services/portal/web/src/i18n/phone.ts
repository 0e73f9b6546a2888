/** Phone numbers as people write them; the library is fetched only when one is shown. */
import type * as Phones from "libphonenumber-js/min";
import { useEffect, useState } from "react";

type Library = typeof Phones;

let library: Library | null = null;
let loading: Promise<Library> | null = null;

/** Fetches the library. */
export async function phoneLibrary(): Promise<Library> {
  loading ??= import("libphonenumber-js/min");
  library = await loading;
  return library;
}

/** Numbers written before: lists show the same ones again and again. */
const written = new Map<string, string>();
const MOST_WRITTEN = 2_000;

/** `+1 202 555 0100`, or the text as it is when it is no number. */
export function phone(text: string): string {
  if (!library) void phoneLibrary();
  if (!library || !text.startsWith("+")) return text;
  const known = written.get(text);
  if (known !== undefined) return known;
  const parsed = library.parsePhoneNumberFromString(text);
  const shown = parsed ? parsed.formatInternational() : text;
  if (written.size >= MOST_WRITTEN) written.clear();
  written.set(text, shown);
  return shown;
}

/** The same for a component, which is drawn again once the library is there. */
export function usePhone(): (text: string) => string {
  const [, ready] = useState(library !== null);
  useEffect(() => {
    // It may have come between the drawing and this.
    void phoneLibrary().then(() => ready(true));
  }, []);
  return phone;
}
