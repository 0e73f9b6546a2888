/** Two texts, line by line. */
import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { diff, folded } from "./diff";
import classes from "./Tabs.module.css";

const SIGNS = { same: " ", old: "−", new: "+", fold: "⋯" } as const;

export function DiffView({ before, after }: { before: string; after: string }) {
  const { t } = useTranslation("flows");
  const lines = useMemo(() => diff(before, after), [before, after]);
  const shown = useMemo(() => folded(lines), [lines]);
  const count = (kind: "old" | "new") => lines.filter((line) => line.kind === kind).length;
  const [added, removed] = [count("new"), count("old")];
  if (added + removed === 0)
    return (
      <Text size="sm" c="dimmed" p="md" pt={0}>
        {t("versions.same")}
      </Text>
    );
  return (
    <>
      <Text size="sm" c="dimmed" px="md" role="status">
        {t("versions.changes", { added, removed })}
      </Text>
      <div className={classes.diff} tabIndex={0} role="group" aria-label={t("versions.compare")}>
        {shown.map((line, at) => (
          <div key={at} className={classes.line} data-kind={line.kind}>
            <span className={classes.number}>{line.kind !== "fold" && (line.before || "")}</span>
            <span className={classes.number}>{line.kind !== "fold" && (line.after || "")}</span>
            <span
              className={classes.sign}
              role="img"
              aria-label={
                line.kind === "new"
                  ? t("versions.added")
                  : line.kind === "old"
                    ? t("versions.removed")
                    : " "
              }
            >
              {SIGNS[line.kind]}
            </span>
            {line.kind === "fold" ? t("versions.folded", { count: Number(line.text) }) : line.text}
          </div>
        ))}
      </div>
    </>
  );
}
