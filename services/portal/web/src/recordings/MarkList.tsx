/** The marks as a list that jumps to them. */
import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { length } from "@/i18n/format";
import { MARK_LOOKS, useMarkWords } from "./marks";
import type { Mark } from "./strips";
import type { Sound } from "./useSound";
import classes from "./Player.module.css";

export function MarkList({ marks, sound }: { marks: Mark[]; sound: Sound }) {
  const { t } = useTranslation("recordings");
  const words = useMarkWords();
  return (
    <div className={classes.list} role="group" aria-label={t("player.marks")}>
      {marks.map((mark, place) => {
        const { icon: Shown, color } = MARK_LOOKS[mark.kind];
        return (
          <button
            key={place}
            type="button"
            className={classes.jump}
            onClick={() => sound.seek(mark.fromMs)}
          >
            <Text span size="sm" c="dimmed" className="tabular">
              {length(mark.fromMs)}
            </Text>
            <Shown size={16} color={color} aria-hidden />
            <Text span size="sm" truncate>
              {words(mark)}
            </Text>
          </button>
        );
      })}
    </div>
  );
}
