/** The contact in hand; tabs when there are several, and what happens next when there is none. */
import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { AgentView, DeskWork } from "@/api/types";
import { usePhone } from "@/i18n/phone";
import { nameOf, numberOf } from "../work";
import { idOf, isRinging } from "../words";
import { Contact } from "./Contact";
import { Idle, Moved } from "./Idle";
import { Ringing } from "./Ringing";

interface Props {
  works: DeskWork[];
  work: DeskWork | undefined;
  onChoose: (id: string) => void;
  agent: AgentView | undefined;
  replaced: boolean;
}

export function Contacts({ works, work, onChoose, agent, replaced }: Props) {
  if (replaced) return <Moved />;
  if (!work) return <Idle agent={agent} />;
  if (works.length === 1) return <One work={work} />;
  return <Several works={works} work={work} onChoose={onChoose} />;
}

function One({ work }: { work: DeskWork }) {
  return isRinging(work) ? (
    <Ringing key={idOf(work)} work={work} />
  ) : (
    <Contact key={idOf(work)} work={work} />
  );
}

function Several({
  works,
  work,
  onChoose,
}: Pick<Props, "works" | "onChoose"> & { work: DeskWork }) {
  const { t } = useTranslation(["desk", "common"]);
  const written = usePhone();
  return (
    <Tabs value={idOf(work)} onChange={(id) => id && onChoose(id)} keepMounted={false}>
      <Tabs.List aria-label={t("desk:contacts")} mb="md">
        {works.map((each) => (
          <Tabs.Tab key={idOf(each)} value={idOf(each)}>
            {nameOf(each) || written(numberOf(each)) || t("desk:caller.withheld")}
            {" · "}
            {t(`common:state.${(each.reservation?.work ?? "ringing") as "ringing"}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {works.map((each) => (
        <Tabs.Panel key={idOf(each)} value={idOf(each)}>
          <One work={each} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
