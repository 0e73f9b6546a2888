/** On a phone two fields of a search stand side by side, so that what was found is seen, too. */
export const HALF = "calc(50% - var(--mantine-spacing-sm) / 2)";
