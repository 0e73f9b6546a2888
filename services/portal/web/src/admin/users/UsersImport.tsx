/** Many people from a file; the server says what is wrong with each row before anybody is made. */
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import type { Schema } from "@/api/types";
import type { Option } from "@/contacts/people";
import { inWords } from "@/ui/words";
import { CsvImport, type Made } from "../common/CsvImport";
import { levels, parts, words, type Cells, type Fault } from "../common/csv";

type Row = Schema<"portal.v1.ImportRowInput">;
type Result = Schema<"portal.v1.ImportResult">;

/** The server checks so many at once, and makes so many within the time of one request. */
const CHECKED_AT_ONCE = 500;
const MADE_AT_ONCE = 40;

/** Fields of the server's faults, by the column that they are said at. */
const COLUMNS: Partial<Record<string, string>> = { skills: "skills", queue_ids: "queues" };

interface Props {
  queues: Option[];
  onClose: () => void;
  onMade: () => void;
}

export function UsersImport({ queues, onClose, onMade }: Props) {
  const { t, i18n } = useTranslation(["admin", "common"]);
  const queueId = (name: string) =>
    queues.find((queue) => queue.value === name || queue.label.toLowerCase() === name.toLowerCase())
      ?.value ?? name;
  const rowOf = (cells: Cells): Row => ({
    username: cells.username ?? "",
    display_name: cells.display_name || (cells.username ?? ""),
    email: cells.email ?? "",
    roles: words((cells.roles ?? "").toLowerCase()),
    password: cells.password ?? "",
    skills: levels(cells.skills ?? "") ?? {},
    queue_ids: words(cells.queues ?? "").map(queueId),
  });
  const faultWords = (fault: Schema<"portal.v1.ImportFault">): string => {
    const key = `users.importFault.${fault.code}`;
    return i18n.exists(key, { ns: "admin" })
      ? t(key as "users.importFault.username-taken")
      : fault.message;
  };
  const ask = async (rows: Row[], dry_run: boolean): Promise<Result[]> =>
    (await told(api.POST("/v1/users:import", { body: { rows, dry_run } }))).results;
  const check = async (rows: Cells[]): Promise<Fault[][]> => {
    const faults: Fault[][] = rows.map((row) =>
      levels(row.skills ?? "") ? [] : [{ field: "skills", message: t("users.badSkills") }],
    );
    const seen = new Set<string>();
    rows.forEach((row, place) => {
      const name = (row.username ?? "").toLowerCase();
      if (seen.has(name))
        faults[place]?.push({ field: "username", message: t("users.importFault.username-twice") });
      seen.add(name);
    });
    let at = 0;
    for (const part of parts(rows.map(rowOf), CHECKED_AT_ONCE)) {
      for (const result of await ask(part, true))
        for (const fault of result.faults) {
          const field = fault.field.split(".")[0] ?? "";
          const mine = faults[at + result.row - 1];
          const message = faultWords(fault);
          if (mine && !mine.some((known) => known.message === message))
            mine.push({ field: COLUMNS[field] ?? field, message });
        }
      at += part.length;
    }
    return faults;
  };
  const send = async (rows: Cells[], progress: (through: number) => void): Promise<Made[]> => {
    const made: Made[] = [];
    for (const part of parts(rows.map(rowOf), MADE_AT_ONCE)) {
      try {
        for (const result of await ask(part, false)) {
          const why = result.faults.map(faultWords).join("; ");
          made.push({
            ok: result.user_id !== "",
            note: [result.password, why].filter(Boolean).join(" "),
          });
        }
      } catch (fault) {
        made.push(...part.map(() => ({ ok: false, note: inWords(fault) })));
      }
      progress(made.length);
    }
    return made;
  };
  return (
    <CsvImport
      title={t("users.import")}
      help={t("users.importHelp")}
      name="users"
      fields={[
        {
          id: "username",
          label: t("users.username"),
          required: true,
          aliases: ["user", "login", "account", "用户名", "账号"],
          example: "maria",
        },
        {
          id: "display_name",
          label: t("users.name"),
          aliases: ["name", "fullname", "displayname", "姓名", "名称"],
          example: "Maria Pop",
        },
        {
          id: "email",
          label: t("users.email"),
          aliases: ["mail", "e-mail", "邮箱"],
          example: "maria@example.com",
        },
        {
          id: "roles",
          label: t("users.roles"),
          aliases: ["role", "角色"],
          example: "agent;supervisor",
        },
        { id: "password", label: t("users.password"), aliases: ["密码"], example: "" },
        {
          id: "skills",
          label: t("users.skills"),
          aliases: ["skill", "技能"],
          example: "english:9;returns:6",
        },
        {
          id: "queues",
          label: t("users.queues"),
          aliases: ["queue", "queueids", "队列"],
          example: queues
            .slice(0, 2)
            .map((queue) => queue.value)
            .join(";"),
        },
      ]}
      noteLabel={t("users.resultNote")}
      check={check}
      send={send}
      onClose={onClose}
      onMade={onMade}
    />
  );
}
