/** A look around in five steps, beside the page and not over it; the last is a real call. */
import { ActionIcon, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { session } from "@/api/session";
import { useStore } from "@/api/store";
import type { Me } from "@/api/types";
import { useGo } from "@/app/go";
import { Rows } from "@/ui/notes";
import { close as closed, keep, progress, wasSeen } from "./kept";
import { tourIsOpen } from "./open";
import { Sketch } from "./Sketch";
import { guestOf, PLACES, STEPS, type Step } from "./steps";
import classes from "./Tour.module.css";

const TestCall = lazy(() => import("./TestCall"));

export default function Tour() {
  const me = useSyncExternalStore(session.subscribe, session.me);
  const open = useStore(tourIsOpen);
  const id = me?.kind === "user" ? me.id : "";
  useEffect(() => {
    if (id && (!wasSeen(id) || progress(id))) tourIsOpen.set(true);
    return () => tourIsOpen.set(false);
  }, [id]);
  if (!me || !open) return null;
  return <Opened key={me.id} me={me} />;
}

function Opened({ me }: { me: Me }) {
  const { t } = useTranslation(["tour", "common"]);
  const go = useGo();
  const [at, setAt] = useState(() => progress(me.id)?.step ?? 0);
  const panel = useRef<HTMLDivElement>(null);
  const guest = guestOf(me.roles);
  const steps: readonly Step[] = STEPS[guest];
  const step = steps[at] ?? "try";
  const last = at === steps.length - 1;
  useEffect(() => {
    const before = document.activeElement;
    // Whoever is in the middle of something is not taken out of it.
    const idle = before === document.body || before?.closest("[role=menu]");
    if (!idle) return;
    panel.current?.focus({ preventScroll: true });
    return () => {
      // The menu that opened it is gone by then: its button is what can be focused.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => keep(me.id, { step: at }), [me.id, at]);
  const close = () => {
    closed(me.id);
    tourIsOpen.set(false);
  };
  const show = (next: number) => {
    setAt(next);
    panel.current?.focus();
  };
  const place = PLACES[step];
  const words = `steps.${guest}.${step}` as "steps.agent.desk";
  return (
    <Paper
      ref={panel}
      className={`panel ${classes.tour}`}
      p="lg"
      role="dialog"
      aria-modal={false}
      aria-label={t("label")}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.stopPropagation();
        close();
      }}
    >
      <Stack gap="md">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" c="dimmed" fw={560}>
            {at === 0 ? t("welcome", { name: me.name }) : t("label")}
          </Text>
          <ActionIcon aria-label={t("close")} onClick={close}>
            <IconX size={18} />
          </ActionIcon>
        </Group>
        {step !== "try" && <Sketch step={step} />}
        <div role="status">
          <Title order={2} fz="lg">
            {t(`${words}.title`)}
          </Title>
          <Text size="sm" mt={4}>
            {t(`${words}.text`)}
          </Text>
        </div>
        {step === "try" && (
          <Suspense fallback={<Rows rows={3} />}>
            <TestCall me={me} />
          </Suspense>
        )}
        {place && (
          <Button
            variant="subtle"
            size="compact-sm"
            style={{ alignSelf: "flex-start" }}
            onClick={() => go(place.path)}
          >
            {t(`open.${place.key}`)}
          </Button>
        )}
        <Group justify="space-between" wrap="nowrap">
          <div
            className={classes.dots}
            role="img"
            aria-label={t("step", { step: at + 1, steps: steps.length })}
          >
            {steps.map((each, place) => (
              <span key={each} className={classes.dot} data-on={place === at} />
            ))}
          </div>
          <Group gap="xs" wrap="nowrap">
            {at === 0 ? (
              <Button variant="default" size="sm" onClick={close}>
                {t("skip")}
              </Button>
            ) : (
              <Button variant="default" size="sm" onClick={() => show(at - 1)}>
                {t("common:action.back")}
              </Button>
            )}
            {last ? (
              <Button size="sm" variant={step === "try" ? "default" : "filled"} onClick={close}>
                {t("common:action.done")}
              </Button>
            ) : (
              <Button size="sm" onClick={() => show(at + 1)}>
                {t("common:action.next")}
              </Button>
            )}
          </Group>
        </Group>
        {at === 0 && (
          <Text size="xs" c="dimmed">
            {t("again")}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}
