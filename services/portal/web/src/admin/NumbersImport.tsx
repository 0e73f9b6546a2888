/** Many numbers from a file. */
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { phoneLibrary } from "@/i18n/phone";
import { inWords } from "@/ui/words";
import { CsvImport, type Made } from "./common/CsvImport";
import type { Cells, Fault } from "./common/csv";
import { useTenant } from "./common/data";
import type { DialledNumber } from "./Numbers";
import { readNumber } from "./numbers";

interface Props {
  all: DialledNumber[];
  flowIds: string[];
  onClose: () => void;
  onMade: () => void;
}

export function NumbersImport({ all, flowIds, onClose, onMade }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const region = useTenant().data?.region ?? "US";
  const check = async (rows: Cells[]): Promise<Fault[][]> => {
    const library = await phoneLibrary();
    const seen = new Set<string>();
    return rows.map((row) => {
      const faults: Fault[] = [];
      const number = readNumber(library, row.number ?? "", region);
      const key = `${row.trunk || "local"} ${number}`;
      if (!number) faults.push({ field: "number", message: t("numbers.fault.bad") });
      else if (seen.has(key)) faults.push({ field: "number", message: t("numbers.fault.twice") });
      else if (all.some((one) => `${one.trunk || "local"} ${one.number}` === key))
        faults.push({ field: "number", message: t("numbers.fault.taken") });
      seen.add(key);
      if (!flowIds.includes(row.flow_id ?? ""))
        faults.push({ field: "flow_id", message: t("numbers.fault.noSuchFlow") });
      return faults;
    });
  };
  const send = async (rows: Cells[], progress: (through: number) => void): Promise<Made[]> => {
    const library = await phoneLibrary();
    const made: Made[] = [];
    for (const row of rows) {
      const number = readNumber(library, row.number ?? "", region) ?? "";
      try {
        await told(
          api.PUT("/v1/numbers/{number}", {
            params: { path: { number } },
            body: { trunk: row.trunk ?? "", flow_id: row.flow_id ?? "" },
          }),
        );
        made.push({ ok: true, note: "" });
      } catch (fault) {
        made.push({ ok: false, note: inWords(fault) });
      }
      progress(made.length);
    }
    return made;
  };
  return (
    <CsvImport
      title={t("numbers.import")}
      help={t("numbers.importHelp")}
      name="numbers"
      fields={[
        {
          id: "number",
          label: t("numbers.number"),
          required: true,
          aliases: ["phone", "telephone", "did", "号码"],
          example: "+12025550199",
        },
        {
          id: "flow_id",
          label: t("numbers.flow"),
          required: true,
          aliases: ["flow", "callflow", "流程"],
          example: flowIds[0] ?? "main-menu",
        },
        { id: "trunk", label: t("numbers.trunk"), aliases: ["trunk", "中继"], example: "local" },
      ]}
      noteLabel={t("csv.why")}
      check={check}
      send={send}
      onClose={onClose}
      onMade={onMade}
    />
  );
}
