/** Two languages, in catalogues that are fetched with the part of the portal that needs them. */
import i18next, { type BackendModule, type ReadCallback } from "i18next";
import { initReactI18next } from "react-i18next";
import { LANGUAGES, type Language } from "./languages";

export { LANGUAGES, LANGUAGE_NAMES, type Language } from "./languages";

const KEY = "carillon.language";
type Catalogue = Record<string, unknown>;
const catalogues = import.meta.glob<{ default: Catalogue }>("./*/*.json");

const lazily: BackendModule = {
  type: "backend",
  init: () => undefined,
  read(language: string, namespace: string, done: ReadCallback) {
    const load = catalogues[`./${language}/${namespace}.json`];
    if (!load) return done(new Error(`no catalogue ${language}/${namespace}`), null);
    load().then(
      (found) => done(null, found.default as never),
      (fault: unknown) => done(fault as Error, null),
    );
  },
};

/** The language of somebody who has chosen none: the tenant's, or the browser's. */
export function usualLanguage(tenant: string, browser: readonly string[]): Language {
  for (const tag of [tenant, ...browser]) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

/** The language chosen on this machine; null: none. */
export function chosenLanguage(): Language | null {
  const chosen = localStorage.getItem(KEY);
  return LANGUAGES.find((each) => each === chosen) ?? null;
}

/** Chooses a language, and remembers it. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await speak(language);
}

/** Uses a language without remembering it. */
export async function speak(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Makes the catalogues ready. */
export async function startLanguages(): Promise<void> {
  const language = chosenLanguage() ?? usualLanguage("", navigator.languages);
  await i18next
    .use(lazily)
    .use(initReactI18next)
    .init({
      lng: language,
      fallbackLng: false,
      supportedLngs: [...LANGUAGES],
      load: "currentOnly",
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    });
  document.documentElement.lang = language;
}
