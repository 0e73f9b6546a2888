/** Passwords that nobody guesses and everybody can read out. */

/** No letters that look like others. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 5;
const GROUP = 4;

/** `k7mt-q2xd-...`: 20 signs of 31, 99 random bits. */
export function makePassword(): string {
  const groups = Array.from({ length: GROUPS }, () =>
    Array.from({ length: GROUP }, () => LETTERS[below(LETTERS.length)]).join(""),
  );
  return groups.join("-");
}

/** An even random number below `limit`, which is at most 256. */
function below(limit: number): number {
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte);
  while ((byte[0] ?? 0) >= 256 - (256 % limit));
  return (byte[0] ?? 0) % limit;
}
