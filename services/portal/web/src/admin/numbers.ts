/** Numbers as administrators type them. */
import type { CountryCode } from "libphonenumber-js/min";
import type { phoneLibrary } from "@/i18n/phone";

type Library = Awaited<ReturnType<typeof phoneLibrary>>;

/** Service numbers within a network have at most so many digits. */
const SHORT = 6;

/** E.164 or a short service number; null: neither. */
export function readNumber(library: Library, text: string, region: string): string | null {
  const bare = text.replace(/[\s().-]/g, "");
  if (/^\d+$/.test(bare) && bare.length <= SHORT) return bare;
  const parsed = library.parsePhoneNumberFromString(text, region as CountryCode);
  return parsed?.isPossible() ? parsed.number : null;
}
