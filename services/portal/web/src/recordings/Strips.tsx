/** What happened during the sound, below it: one strip for each kind that there is. */
import { Tooltip } from "@mantine/core";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { length } from "@/i18n/format";
import { MARK_LOOKS, useMarkWords } from "./marks";
import { stripsOf, type Mark } from "./strips";
import type { Sound } from "./useSound";
import classes from "./Player.module.css";

interface Props {
  marks: Mark[];
  durationMs: number;
  sound: Sound;
}

export function Strips({ marks, durationMs, sound }: Props) {
  const { t } = useTranslation("recordings");
  const words = useMarkWords();
  const part = (ms: number) => (durationMs > 0 ? (ms / durationMs) * 100 : 0);
  return stripsOf(marks).map(({ kind, marks: same }) => {
    const { icon: Shown, color } = MARK_LOOKS[kind];
    return (
      <Fragment key={kind}>
        <div className={classes.lane} style={{ color }}>
          <Shown size={15} aria-hidden />
          <span className={classes.word}>{t(`mark.${kind}`)}</span>
        </div>
        <div className={classes.strip}>
          {same.map((mark, place) => (
            <Tooltip key={place} label={`${length(mark.fromMs)} · ${words(mark)}`} openDelay={80}>
              <button
                type="button"
                // The list below says the same to the keyboard, without a stop for every mark.
                tabIndex={-1}
                className={classes.mark}
                data-kind={kind}
                aria-label={`${length(mark.fromMs)} ${words(mark)}`}
                onClick={() => sound.seek(mark.fromMs)}
                style={{
                  ["--mark" as string]: color,
                  left: `min(${part(mark.fromMs)}%, calc(100% - 6px))`,
                  width: `${part(mark.toMs - mark.fromMs)}%`,
                }}
              />
            </Tooltip>
          ))}
        </div>
      </Fragment>
    );
  });
}
