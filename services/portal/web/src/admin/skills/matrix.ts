/** Levels of agents by skill, as they are edited: pasting, filling, taking back. */

export interface Matrix {
  skills: readonly string[];
  /** Levels 1 to 10 by `cellKey`; none: the agent does not have the skill. */
  cells: ReadonlyMap<string, number>;
}

/** Rows and columns from one corner to another. */
export interface Range {
  fromRow: number;
  fromColumn: number;
  toRow: number;
  toColumn: number;
}

export interface Place {
  row: number;
  column: number;
}

interface AgentSkills {
  agent_id: string;
  skills: readonly { name: string; level: string }[];
}

export function cellKey(agent: string, skill: string): string {
  return `${agent}\n${skill}`;
}

export function matrixOf(agents: readonly AgentSkills[]): Matrix {
  const cells = new Map<string, number>();
  const skills = new Set<string>();
  for (const agent of agents)
    for (const { name, level } of agent.skills) {
      skills.add(name);
      cells.set(cellKey(agent.agent_id, name), Number(level));
    }
  return { skills: [...skills].sort(), cells };
}

/** A level; null: empty; undefined: neither. */
export function readLevel(text: string): number | null | undefined {
  const bare = text.trim();
  if (bare === "" || bare === "–" || bare === "-" || bare === "0") return null;
  return /^(10|[1-9])$/.test(bare) ? Number(bare) : undefined;
}

/** The range with its first corner before the second. */
export function ordered(one: Place, other: Place): Range {
  return {
    fromRow: Math.min(one.row, other.row),
    toRow: Math.max(one.row, other.row),
    fromColumn: Math.min(one.column, other.column),
    toColumn: Math.max(one.column, other.column),
  };
}

type Change = readonly [agent: string, skill: string, level: number | null];

/** The matrix with some cells changed. */
export function written(matrix: Matrix, changes: readonly Change[]): Matrix {
  const cells = new Map(matrix.cells);
  for (const [agent, skill, level] of changes) {
    if (level === null) cells.delete(cellKey(agent, skill));
    else cells.set(cellKey(agent, skill), level);
  }
  return { ...matrix, cells };
}

/** One value in every cell of a range. */
export function filled(
  matrix: Matrix,
  agents: readonly string[],
  range: Range,
  level: number | null,
): Matrix {
  return written(
    matrix,
    cellsOf(matrix, agents, range).map(([agent, skill]) => [agent, skill, level]),
  );
}

/** The first row of a range in all of its rows. */
export function filledDown(matrix: Matrix, agents: readonly string[], range: Range): Matrix {
  const first = agents[range.fromRow] ?? "";
  return written(
    matrix,
    cellsOf(matrix, agents, range).map(([agent, skill]) => [
      agent,
      skill,
      matrix.cells.get(cellKey(first, skill)) ?? null,
    ]),
  );
}

function cellsOf(
  matrix: Matrix,
  agents: readonly string[],
  range: Range,
): (readonly [string, string])[] {
  return agents
    .slice(range.fromRow, range.toRow + 1)
    .flatMap((agent) =>
      matrix.skills
        .slice(range.fromColumn, range.toColumn + 1)
        .map((skill) => [agent, skill] as const),
    );
}

/** A range as a spreadsheet takes it. */
export function copied(matrix: Matrix, agents: readonly string[], range: Range): string {
  return agents
    .slice(range.fromRow, range.toRow + 1)
    .map((agent) =>
      matrix.skills
        .slice(range.fromColumn, range.toColumn + 1)
        .map((skill) => matrix.cells.get(cellKey(agent, skill)) ?? "")
        .join("\t"),
    )
    .join("\n");
}

/** What a spreadsheet gave, from a place on; one value fills the whole range. */
export function pasted(
  matrix: Matrix,
  agents: readonly string[],
  range: Range,
  text: string,
): { matrix: Matrix; refused: number } {
  const rows = text
    .replace(/\r?\n$/, "")
    .split(/\r?\n/)
    .map((row) => row.split("\t"));
  const changes: Change[] = [];
  let refused = 0;
  const put = (row: number, column: number, value: string) => {
    const [agent, skill] = [agents[row], matrix.skills[column]];
    const level = readLevel(value);
    if (agent === undefined || skill === undefined || level === undefined) refused += 1;
    else changes.push([agent, skill, level]);
  };
  if (rows.length === 1 && rows[0]?.length === 1)
    for (let row = range.fromRow; row <= range.toRow; row += 1)
      for (let column = range.fromColumn; column <= range.toColumn; column += 1)
        put(row, column, rows[0][0] ?? "");
  else
    rows.forEach((row, down) =>
      row.forEach((value, right) => put(range.fromRow + down, range.fromColumn + right, value)),
    );
  return { matrix: written(matrix, changes), refused };
}

/** With one more column; null: there is one of this name. */
export function withSkill(matrix: Matrix, name: string): Matrix | null {
  if (!name || matrix.skills.includes(name)) return null;
  return { ...matrix, skills: [...matrix.skills, name] };
}

export function withoutSkill(matrix: Matrix, name: string): Matrix {
  const cells = new Map([...matrix.cells].filter(([key]) => !key.endsWith(`\n${name}`)));
  return { skills: matrix.skills.filter((skill) => skill !== name), cells };
}

/** With a column under another name; null: there is one of that name. */
export function renamed(matrix: Matrix, name: string, next: string): Matrix | null {
  if (!next || (next !== name && matrix.skills.includes(next))) return null;
  const cells = new Map<string, number>();
  for (const [key, level] of matrix.cells) {
    const [agent = "", skill = ""] = key.split("\n");
    cells.set(cellKey(agent, skill === name ? next : skill), level);
  }
  return { skills: matrix.skills.map((skill) => (skill === name ? next : skill)), cells };
}

/** An agent's skills. */
export function skillsOf(matrix: Matrix, agent: string): { name: string; level: number }[] {
  return matrix.skills.flatMap((name) => {
    const level = matrix.cells.get(cellKey(agent, name));
    return level === undefined ? [] : [{ name, level }];
  });
}

/** Agents whose skills are not those that were saved. */
export function changedAgents(now: Matrix, saved: Matrix, agents: readonly string[]): string[] {
  const skills = [...new Set([...now.skills, ...saved.skills])];
  return agents.filter((agent) =>
    skills.some((skill) => {
      const key = cellKey(agent, skill);
      return now.cells.get(key) !== saved.cells.get(key);
    }),
  );
}

/** The present, what was before, and what was taken back. */
export interface History {
  now: Matrix;
  past: readonly Matrix[];
  future: readonly Matrix[];
}

const LONGEST_PAST = 200;

export function did(history: History, next: Matrix): History {
  if (next === history.now) return history;
  return { now: next, past: [...history.past, history.now].slice(-LONGEST_PAST), future: [] };
}

export function undid(history: History): History {
  const before = history.past.at(-1);
  if (!before) return history;
  const past = history.past.slice(0, -1);
  return { now: before, past, future: [history.now, ...history.future] };
}

export function redid(history: History): History {
  const [next, ...future] = history.future;
  if (!next) return history;
  return { now: next, past: [...history.past, history.now], future };
}
