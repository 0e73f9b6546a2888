/** The head of a skill, with what can be done to the whole skill. */
import { ActionIcon, Menu, Text } from "@mantine/core";
import { IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { renamed, withoutSkill, type Matrix } from "./matrix";
import { SkillName } from "./SkillName";
import classes from "./Grid.module.css";

interface Props {
  matrix: Matrix;
  skill: string;
  column: number;
  onChange: (next: Matrix) => void;
}

export function ColumnHead({ matrix, skill, column, onChange }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [naming, setNaming] = useState(false);
  return (
    <div role="columnheader" aria-colindex={column + 2} className={classes.column}>
      <Text span fz="inherit" fw={600} truncate title={skill}>
        {skill}
      </Text>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size="sm" aria-label={t("skills.column", { skill })}>
            <IconDots size={14} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={14} aria-hidden />}
            onClick={() => setNaming(true)}
          >
            {t("skills.rename")}
          </Menu.Item>
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={() => onChange(withoutSkill(matrix, skill))}
          >
            {t("skills.removeColumn")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {naming && (
        <SkillName
          title={t("skills.rename")}
          first={skill}
          onClose={() => setNaming(false)}
          onName={(name) => {
            const next = renamed(matrix, skill, name);
            if (next) onChange(next);
            return next !== null;
          }}
        />
      )}
    </div>
  );
}
