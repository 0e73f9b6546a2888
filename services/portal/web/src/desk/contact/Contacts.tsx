/** The contact in hand; tabs when there are several, and what happens next when there is none. */
import { Stack, Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { AgentView, DeskWork } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { nameOf, numberOf } from "../work";
import { idOf, isRinging } from "../words";
import { Contact } from "./Contact";
import { Idle } from "./Idle";
import { Ringing } from "./Ringing";

interface Props {
  works: DeskWork[];
  work: DeskWork | undefined;
  onChoose: (id: string) => void;
  agent: AgentView | undefined;
}

export function Contacts({ works, work, onChoose, agent }: Props) {
  const { t } = useTranslation(["desk", "common"]);
  const written = usePhone();
  if (!work) return <Idle agent={agent} />;
  const shown = isRinging(work) ? (
    <Ringing key={idOf(work)} work={work} />
  ) : (
    <Contact key={idOf(work)} work={work} />
  );
  if (works.length === 1) return shown;
  return (
    <Stack gap="md">
      <Tabs value={idOf(work)} onChange={(id) => id && onChoose(id)}>
        <Tabs.List aria-label={t("desk:contacts")}>
          {works.map((each) => (
            <Tabs.Tab key={idOf(each)} value={idOf(each)}>
              {nameOf(each) || written(numberOf(each)) || t("desk:caller.withheld")}
              {" · "}
              {t(`common:state.${(each.reservation?.work ?? "ringing") as "ringing"}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      {shown}
    </Stack>
  );
}
