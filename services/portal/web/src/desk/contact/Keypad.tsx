/** Keys for the other side's menu, by mouse and by the real keyboard. */
import { Button, Popover, Stack, Text, Tooltip } from "@mantine/core";
import { IconDialpad } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useHint } from "@/app/keys";
import { useShortcuts } from "@/app/shortcuts";
import { toastProblem } from "@/ui/toast";
import { sendDigits } from "../phone/commands";
import classes from "../Desk.module.css";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const MAX_AT_ONCE = 32;
/** Of what was pressed, so much is shown. */
const MAX_SHOWN = 24;

export function Keypad({ id, disabled }: { id: string; disabled: boolean }) {
  const { t } = useTranslation("desk");
  const hint = useHint();
  const [opened, setOpened] = useState(false);
  const [said, setSaid] = useState("");
  const waiting = useRef("");
  const busy = useRef(false);
  useShortcuts([
    {
      keys: "k",
      label: t("call.keypad"),
      group: t("keys.call"),
      run: () => setOpened(!opened && !disabled),
    },
  ]);
  const press = (key: string) => {
    waiting.current += key;
    setSaid((before) => (before + key).slice(-MAX_SHOWN));
    void flush();
  };
  // One request at a time keeps the keys in their order.
  const flush = async () => {
    if (busy.current) return;
    busy.current = true;
    try {
      while (waiting.current) {
        const digits = waiting.current.slice(0, MAX_AT_ONCE);
        waiting.current = waiting.current.slice(digits.length);
        await sendDigits(id, digits);
      }
    } catch (thrown) {
      waiting.current = "";
      toastProblem(thrown);
    } finally {
      busy.current = false;
    }
  };
  const latest = useRef(press);
  useEffect(() => {
    latest.current = press;
  });
  useEffect(() => {
    if (!opened) return;
    const down = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!KEYS.includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      latest.current(event.key);
    };
    window.addEventListener("keydown", down, true);
    return () => window.removeEventListener("keydown", down, true);
  }, [opened]);
  return (
    <Popover opened={opened && !disabled} onChange={setOpened} trapFocus withArrow shadow="md">
      <Popover.Target>
        <Tooltip label={hint(t("call.keypad"), "K")} disabled={opened}>
          <Button
            className={classes.control}
            variant="default"
            disabled={disabled}
            leftSection={<IconDialpad size={20} stroke={1.7} aria-hidden />}
            onClick={() => setOpened(!opened)}
          >
            {t("call.keypad")}
          </Button>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={t("call.keypad")}>
        <Stack gap="xs">
          <Text ta="center" fw={600} fz="lg" className="tabular" mih={28} role="status">
            {said}
          </Text>
          <div className={classes.keypad}>
            {KEYS.map((key) => (
              <Button key={key} variant="default" h={48} fz="lg" onClick={() => press(key)}>
                {key}
              </Button>
            ))}
          </div>
          <Text size="xs" c="dimmed" ta="center" maw={208}>
            {t("keypad.help")}
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
