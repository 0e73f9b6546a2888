/** Names of zones, countries and the like, in the person's language. */
import i18next from "i18next";

export interface Option {
  value: string;
  label: string;
}

/** The country's name, or its code. */
export function regionName(code: string): string {
  try {
    return new Intl.DisplayNames(i18next.language, { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Countries by name. */
export function regionOptions(codes: readonly string[]): Option[] {
  return codes
    .map((value) => ({ value, label: `${regionName(value)} (${value})` }))
    .sort((one, other) => one.label.localeCompare(other.label, i18next.language));
}

/** Every zone that the browser knows, with how far it is from UTC. */
export function zoneOptions(chosen: string): Option[] {
  const zones = new Set(Intl.supportedValuesOf("timeZone"));
  zones.add("UTC");
  if (chosen) zones.add(chosen);
  return [...zones].sort().map((value) => ({ value, label: zoneLabel(value) }));
}

/** `Europe/Bucharest (GMT+2)`. */
export function zoneLabel(zone: string): string {
  try {
    const parts = new Intl.DateTimeFormat("en", {
      timeZone: zone,
      timeZoneName: "shortOffset",
    }).formatToParts(Date.now());
    const offset = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
    return `${zone.replaceAll("_", " ")} (${offset})`;
  } catch {
    return zone;
  }
}
