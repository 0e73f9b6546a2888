/** Who is signed in, and their tokens; shared by all tabs of the browser. */
import type { Me, Session } from "./types";

const KEY = "carillon.session";
/** A token is renewed when it has less than this left. */
const EARLY_MS = 120_000;

interface Kept {
  access: string;
  refresh: string;
  endsAtMs: number;
  me: Me;
}

type Listener = () => void;

let kept: Kept | null = read();
let renewing: Promise<string> | null = null;
const listeners = new Set<Listener>();

function read(): Kept | null {
  try {
    return JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

function keep(next: Kept | null): void {
  kept = next;
  if (next) localStorage.setItem(KEY, JSON.stringify(next));
  else localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

globalThis.addEventListener?.("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  kept = read();
  for (const listener of listeners) listener();
});

export const session = {
  /** Calls back when somebody signs in or out, or a token is renewed. */
  subscribe(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Who is signed in; null: nobody. */
  me(): Me | null {
    return kept?.me ?? null;
  },
  /** Takes a session that the server gave. */
  begin(given: Session): void {
    if (!given.me) throw new TypeError("a session without anybody");
    keep({
      access: given.access_token,
      refresh: given.refresh_token,
      endsAtMs: Date.now() + given.expires_in_s * 1000,
      me: given.me,
    });
  },
  /** Forgets the session. */
  end(): void {
    keep(null);
  },
  /** What `GetMe` said anew. */
  meIs(me: Me): void {
    if (kept) keep({ ...kept, me });
  },
  /** An access token that is good for a while, renewed if it must be; empty: nobody is signed in. */
  async token(): Promise<string> {
    if (!kept) return "";
    if (kept.endsAtMs - Date.now() > EARLY_MS) return kept.access;
    return await session.renew(kept.access);
  },
  /** Renews the token unless another tab has already replaced `old`. */
  async renew(old: string): Promise<string> {
    renewing ??= locked(async () => {
      kept = read();
      if (!kept) return "";
      if (kept.access !== old) return kept.access;
      const answer = await fetch("/v1/sessions:refresh", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ refresh_token: kept.refresh }),
      });
      if (answer.ok) {
        session.begin((await answer.json()) as Session);
        return kept.access;
      }
      // 401: the session is over. Anything else passes; the old token may still do.
      if (answer.status === 401) keep(null);
      return kept?.access ?? "";
    }).finally(() => {
      renewing = null;
    });
    return await renewing;
  },
};

/** A refresh token works once: only one tab may use it at a time. */
async function locked(work: () => Promise<string>): Promise<string> {
  const locks = (navigator as Partial<Navigator>).locks;
  return locks ? await locks.request(KEY, work) : await work();
}
