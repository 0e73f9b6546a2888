/** A real call that a test caller places: what must be so first, and how far it has come. */
import { Alert, Anchor, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconCircleCheck, IconCircleDashed, IconPhoneCall } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNumbers } from "@/admin/common/data";
import { desk } from "@/api/boards";
import { api, told } from "@/api/client";
import { useStore } from "@/api/store";
import type { Me } from "@/api/types";
import { Link } from "@/app/go";
import { check, checked } from "@/desk/phone/softphone";
import { goReady } from "@/desk/presence";
import { usePhone } from "@/i18n/phone";
import { ErrorNote } from "@/ui/notes";
import { CallProgress } from "./CallProgress";
import { keep, progress, type Placed } from "./kept";

const KEPT = "carillon.test-call.to";
const TALK_S = 30;

export default function TestCall({ me }: { me: Me }) {
  const { t } = useTranslation(["tour", "common"]);
  const agent = me.roles.includes("agent");
  const lead = me.roles.some((role) => role === "supervisor" || role === "administrator");
  const [to, setTo] = useState(() => localStorage.getItem(KEPT) ?? "");
  const [digits, setDigits] = useState("1");
  const [call, setCall] = useState(() => progress(me.id)?.call ?? null);
  const tried = useStore(checked);
  const ready = useStore(desk)?.agent?.state === "ready";
  const place = useMutation({
    mutationFn: () =>
      told(api.POST("/v1/test-calls", { body: { to: to.trim(), digits, talk_s: TALK_S } })),
    onSuccess: ({ call_id, speaks }) => {
      localStorage.setItem(KEPT, to.trim());
      under({ call_id, speaks });
    },
  });
  const under = (placed: Placed | null) => {
    keep(me.id, { call: placed });
    setCall(placed);
  };
  if (call)
    return (
      <CallProgress
        key={call.call_id}
        call={call.call_id}
        speaks={call.speaks}
        agent={agent}
        lead={lead}
        onAgain={() => under(null)}
      />
    );
  return (
    <Stack gap="sm">
      {agent && (
        <>
          <Condition done={tried} text={t("test.devices")}>
            <Button size="compact-sm" variant="light" onClick={() => check()}>
              {t("test.devicesDo")}
            </Button>
          </Condition>
          <Condition done={ready} text={t("test.ready")}>
            <Button size="compact-sm" variant="light" onClick={goReady}>
              {t("test.readyDo")}
            </Button>
          </Condition>
        </>
      )}
      <NumberChoice to={to} onChange={setTo} admin={me.roles.includes("administrator")} />
      <TextInput
        label={t("test.digits")}
        description={t("test.digitsHelp")}
        value={digits}
        onChange={(event) => setDigits(event.currentTarget.value.replace(/[^0-9*#]/g, ""))}
        maxLength={8}
        inputMode="tel"
        autoComplete="off"
      />
      {place.error && <ErrorNote problem={place.error} />}
      <Group>
        <Button
          leftSection={<IconPhoneCall size={16} aria-hidden />}
          loading={place.isPending}
          disabled={!to.trim() || (agent && !(tried && ready))}
          onClick={() => place.mutate()}
        >
          {t(agent ? "test.place" : "test.placeLead")}
        </Button>
      </Group>
    </Stack>
  );
}

interface ChoiceProps {
  to: string;
  onChange: (to: string) => void;
  admin: boolean;
}

function NumberChoice({ to, onChange, admin }: ChoiceProps) {
  const { t } = useTranslation("tour");
  const phone = usePhone();
  const { data, error } = useNumbers();
  // The gateway's own caller arrives on this trunk.
  const usable = (data ?? []).filter((one) => one.flow_id && ["", "local"].includes(one.trunk));
  const first = usable[0]?.number;
  const chosen = usable.some((one) => one.number === to) ? to : null;
  useEffect(() => {
    if (!chosen && first) onChange(first);
  }, [chosen, first, onChange]);
  if (error) return <ErrorNote problem={error} />;
  if (data && !first)
    return (
      <Alert color="orange" variant="light">
        {t("test.noNumbers")}{" "}
        {admin && (
          <Anchor component={Link} href="/admin/numbers" size="sm">
            {t("test.noNumbersDo")}
          </Anchor>
        )}
      </Alert>
    );
  return (
    <Select
      label={t("test.number")}
      data={usable.map((one) => ({ value: one.number, label: phone(one.number) }))}
      value={chosen}
      onChange={(value) => value && onChange(value)}
      allowDeselect={false}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

interface ConditionProps {
  done: boolean;
  text: string;
  children: ReactNode;
}

function Condition({ done, text, children }: ConditionProps) {
  const { t } = useTranslation("tour");
  return (
    <Group gap={8} wrap="nowrap" mih={30}>
      {done ? (
        <IconCircleCheck size={19} color="var(--state-ready)" aria-label={t("test.done")} />
      ) : (
        <IconCircleDashed size={19} aria-label={t("test.open")} />
      )}
      <Text size="sm" flex={1} c={done ? "dimmed" : undefined}>
        {text}
      </Text>
      {!done && children}
    </Group>
  );
}
