/** The API, typed by its own description. */
import createClient, { type Middleware } from "openapi-fetch";
import { Problem, problemIn } from "./problem";
import type { paths } from "./schema";
import { session } from "./session";

const LIMIT_MS = 20_000;
const LONG_LIMIT_MS = 190_000;
/** What the server may take minutes for: imports, hashes of long recordings, speech, sound. */
const LONG = /(:import|:verify|:synthesise|:publish|\/audio\.wav)$/;

const authenticated: Middleware = {
  async onRequest({ request, schemaPath }) {
    if (schemaPath !== "/v1/sessions") {
      const token = await session.token();
      if (token) request.headers.set("authorization", `Bearer ${token}`);
    }
    if (request.method === "POST" && !request.headers.has("idempotency-key")) {
      request.headers.set(
        "idempotency-key",
        crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      );
    }
    return request;
  },
};

/** fetch with a time limit, one renewal of the token, and problems instead of silence. */
async function asked(request: Request): Promise<Response> {
  const again = request.clone();
  let answer = await limited(request);
  const bearer = request.headers.get("authorization");
  if (answer.status === 401 && bearer) {
    const token = await session.renew(bearer.slice("Bearer ".length));
    if (token) {
      again.headers.set("authorization", `Bearer ${token}`);
      answer = await limited(again);
    }
    if (answer.status === 401) session.end();
  }
  return answer;
}

/** How long an answer may take, by the path that is asked. */
export function limitMs(path: string): number {
  return LONG.test(path) ? LONG_LIMIT_MS : LIMIT_MS;
}

async function limited(request: Request): Promise<Response> {
  const late = AbortSignal.timeout(limitMs(new URL(request.url).pathname));
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, late]) });
  } catch (fault) {
    if (request.signal.aborted) throw fault;
    if (fault instanceof DOMException && fault.name === "TimeoutError")
      throw new Problem(0, "no-answer", "the server did not answer in time");
    throw new Problem(0, "offline", "the server can not be reached");
  }
}

/** Typed requests: `api.GET("/v1/queues")`; give the result to `told`. */
export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  fetch: asked,
});
api.use(authenticated);

interface Result<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws the Problem of a refusal. */
export async function told<Data>(asking: Promise<Result<Data>>): Promise<Data> {
  const { data, error, response } = await asking;
  if (!response.ok) throw problemIn(response, error);
  return data as Data;
}

/** A raw body in or out, for sound: the same rights and the same problems. */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${await session.token()}`);
  const answer = await asked(new Request(new URL(path, location.origin), { ...init, headers }));
  if (!answer.ok) {
    const body: unknown = await answer.json().catch(() => null);
    throw problemIn(answer, body);
  }
  return answer;
}
