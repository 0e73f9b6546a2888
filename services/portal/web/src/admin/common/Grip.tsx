/** Takes a row of a list to another place: drawn with the pointer, or with the arrow keys. */
import { ActionIcon, Group } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconGripVertical } from "@tabler/icons-react";
import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Grip.module.css";

interface Props {
  id: string;
  name: string;
  place: number;
  count: number;
  onMove: (to: number) => void;
}

export function Grip({ id, name, place, count, onMove }: Props) {
  const { t } = useTranslation("admin");
  const target = useRef<HTMLElement | null>(null);
  const over = (event: PointerEvent) => {
    const row = document.elementFromPoint(event.clientX, event.clientY)?.closest("tr");
    const found = row?.querySelector<HTMLElement>("[data-place]") ?? null;
    target.current?.removeAttribute("data-over");
    target.current = found;
    found?.setAttribute("data-over", "");
  };
  const drop = () => {
    const to = Number(target.current?.dataset.place ?? place);
    target.current?.removeAttribute("data-over");
    target.current = null;
    if (to !== place) onMove(to);
  };
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    if (place + step >= 0 && place + step < count) onMove(place + step);
  };
  return (
    <Group
      gap={0}
      wrap="nowrap"
      justify="flex-end"
      className={classes.grip}
      data-place={place}
      onClick={(event) => event.stopPropagation()}
    >
      <ActionIcon
        visibleFrom="sm"
        aria-label={t("order.drag", { name })}
        data-grip={id}
        className={classes.handle}
        onKeyDown={keys}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) =>
          event.currentTarget.hasPointerCapture(event.pointerId) && over(event)
        }
        onPointerUp={drop}
      >
        <IconGripVertical size={16} />
      </ActionIcon>
      <ActionIcon
        aria-label={t("order.up", { name })}
        disabled={place === 0}
        onClick={() => onMove(place - 1)}
      >
        <IconArrowUp size={16} />
      </ActionIcon>
      <ActionIcon
        aria-label={t("order.down", { name })}
        disabled={place === count - 1}
        onClick={() => onMove(place + 1)}
      >
        <IconArrowDown size={16} />
      </ActionIcon>
    </Group>
  );
}
