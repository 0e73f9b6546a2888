/** Lists that are short enough to be had whole. */
interface Paged {
  page?: { next_token: string };
}

/** Pages that are read at most; 500 rows each. */
const MAX_PAGES = 20;

/** Every row of a paged list, at most 10,000: `all((page) => told(api.GET(...)), (a) => a.users)`. */
export async function all<Answer extends Paged, Row>(
  read: (page: { "page.size": number; "page.token"?: string }) => Promise<Answer>,
  rows: (answer: Answer) => Row[],
): Promise<Row[]> {
  const found: Row[] = [];
  let token = "";
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await read({ "page.size": 500, ...(token ? { "page.token": token } : {}) });
    found.push(...rows(answer));
    token = answer.page?.next_token ?? "";
    if (!token) break;
  }
  return found;
}
