/** What went wrong, in the words of the API (RFC 9457 with a stable code). */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0: the server could not be reached. */
    readonly status: number,
    /** A stable word, for example `no-such-queue`; `offline` when nothing answered. */
    readonly code: string,
    /** The server's own words, in English. */
    readonly detail: string,
    /** Seconds after which trying again is worth it; 0: not known. */
    readonly retryAfterS = 0,
    /** What of the request is wrong, for example `queue.queue_id`; empty: not said. */
    readonly field = "",
  ) {
    super(detail || code);
    this.name = "Problem";
  }

  /** True: trying again may help. */
  get passing(): boolean {
    return [0, 408, 429, 502, 503, 504].includes(this.status);
  }
}

/** The problem in an answer that is not a success. */
export function problemIn(response: Response, body: unknown): Problem {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : "");
  return new Problem(
    response.status,
    text("code") || `http-${response.status}`,
    text("detail") || text("title"),
    Number(response.headers.get("retry-after")) || 0,
    text("field"),
  );
}

/** Anything thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof TypeError) return new Problem(0, "offline", thrown.message);
  return new Problem(0, "fault", thrown instanceof Error ? thrown.message : String(thrown));
}
