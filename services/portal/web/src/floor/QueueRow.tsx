/** One queue; what moves in it is in its cells. */
import { ActionIcon, Menu, Table } from "@mantine/core";
import {
  IconDoor,
  IconDoorOff,
  IconDotsVertical,
  IconHistory,
  IconUsers,
} from "@tabler/icons-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { ms, type QueueView } from "@/api/types";
import { useGo } from "@/app/go";
import { contactsBehind, today } from "./links";
import { Condition, LevelOf, LineOf, LongestIn, StaffOf, WaitingIn } from "./QueueCells";
import { GOOD_LEVEL } from "./tones";
import classes from "./Floor.module.css";

interface Props {
  queue: QueueView;
  onAgents: (queueId: string) => void;
  onEmergency: (queue: QueueView) => void;
}

export const QueueRow = memo(function QueueRow({ queue, onAgents, onEmergency }: Props) {
  const { t } = useTranslation("floor");
  const go = useGo();
  const id = queue.queue_id;
  const Door = queue.emergency ? IconDoor : IconDoorOff;
  const contacts = () => {
    const toMs = Date.now();
    go(contactsBehind({ fromMs: today(toMs), toMs, queue: id }));
  };
  return (
    <Table.Tr>
      <Table.Td className={classes.queueName}>
        <span className={`${classes.strong} ${classes.clamped}`} title={queue.name}>
          {queue.name || id}
        </span>
        <span className={classes.under}>
          <Condition queue={queue} />
        </span>
      </Table.Td>
      <Table.Td ta="right">
        <WaitingIn id={id} />
      </Table.Td>
      <Table.Td visibleFrom="sm" py={4}>
        <LineOf id={id} />
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xs">
        <LongestIn id={id} />
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xs">
        <StaffOf id={id} name={queue.name} onOpen={onAgents} />
      </Table.Td>
      <Table.Td ta="right">
        <LevelOf id={id} good={ms(queue.service_level_percent) || GOOD_LEVEL} />
      </Table.Td>
      <Table.Td ta="right" pl={0}>
        <Menu position="bottom-end" shadow="md" width={230}>
          <Menu.Target>
            <ActionIcon aria-label={t("queues.actionsOf", { name: queue.name })}>
              <IconDotsVertical size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconUsers size={16} aria-hidden />}
              onClick={() => onAgents(id)}
            >
              {t("queues.showAgents")}
            </Menu.Item>
            <Menu.Item leftSection={<IconHistory size={16} aria-hidden />} onClick={contacts}>
              {t("queues.showContacts")}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              {...(!queue.emergency && { color: "red" })}
              leftSection={<Door size={16} aria-hidden />}
              onClick={() => onEmergency(queue)}
            >
              {t(queue.emergency ? "emergency.openItem" : "emergency.closeItem")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
});
