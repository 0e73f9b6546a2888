/** Ids that people can read, made of names. */

/** `Billing & Returns` as `billing-returns`; empty when nothing of it can stand in an id. */
export function slug(name: string): string {
  return name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64)
    .replace(/-+$/, "");
}

/** True: lower-case letters, digits and dashes, 1 to 64. */
export function isSlug(id: string): boolean {
  return /^[a-z0-9-]{1,64}$/.test(id);
}
