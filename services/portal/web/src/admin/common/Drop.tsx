/** A place to drop a file on, or to choose one. */
import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Drop.module.css";

interface Props {
  accept: string;
  label: string;
  help: string;
  onFile: (file: File) => void;
}

export function Drop({ accept, label, help, onFile }: Props) {
  const { t } = useTranslation(["admin", "common"]);
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  };
  return (
    <Stack
      className={classes.drop}
      data-over={over || undefined}
      align="center"
      gap="xs"
      p="lg"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconFileUpload size={28} stroke={1.5} aria-hidden />
      <Text fw={560}>{label}</Text>
      <Group gap="xs">
        <FileButton accept={accept} onChange={(file) => file && onFile(file)}>
          {(props) => (
            <Button variant="light" {...props}>
              {t("drop.choose")}
            </Button>
          )}
        </FileButton>
      </Group>
      <Text size="sm" c="dimmed" ta="center">
        {help}
      </Text>
    </Stack>
  );
}
